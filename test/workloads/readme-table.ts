// The README's short table of workloads: medians over moments and kernels, between two marks. Written by the run.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { spreadOf } from '../../bench/samples.js';
import { publishedFraction } from '../../src/report/model/published-metric.js';
import { markedPart, withMarkedPart } from '../docs/marked-part.js';
import { type MomentFigures, momentFigures } from './moment-figures.js';
import type { CaseResult } from './results.js';
import type { WorkloadCase } from './workloads.js';

export const readmePath = fileURLToPath(new URL('../../README.md', import.meta.url));

const mark = 'report:workloads';
const where = 'the README';

export const readmeColumns = [
  ['Pages at 3 and 1', ({ plannedFraction }) => plannedFraction],
  ['lz4 at 3', ({ lz4Fraction }) => lz4Fraction],
  ['zstd at 3', ({ zstdFraction }) => zstdFraction],
  ['`strict`, zstd', ({ savingFractions }) => savingFractions.strict],
  ['`disk`, zstd', ({ savingFractions }) => savingFractions.disk],
  ['`lean`, zstd', ({ savingFractions }) => savingFractions.lean],
] as const satisfies readonly (readonly [string, (figures: MomentFigures) => number | undefined])[];

const header = ['Workload', ...readmeColumns.map(([name]) => name)];
const alignment = header.map((_, column) => (column === 0 ? '---' : '--:'));

export async function writeReadmeTable(
  results: readonly (readonly [WorkloadCase, CaseResult])[],
): Promise<void> {
  const text = withReadmeTable(readFileSync(readmePath, 'utf8'), await readmeTable(results));
  writeFileSync(readmePath, text);
}

export async function readmeTable(
  results: readonly (readonly [WorkloadCase, CaseResult])[],
): Promise<string> {
  const names = [...new Set(results.map(([{ workload }]) => workload.name))];
  const rows = names.map((name) => {
    const figures = results
      .filter(([{ workload }]) => workload.name === name)
      .flatMap(([, { moments }]) => moments.map(momentFigures));
    return [name, ...readmeColumns.map(([, valueOf]) => medianCell(figures.map(valueOf)))];
  });
  const published = ['as published', shortPercent(publishedFraction)];
  const empty = header.slice(published.length).map(() => '');
  const lines = [header, alignment, ...rows, [...published, ...empty]];
  return await format(lines.map((cells) => `| ${cells.join(' | ')} |\n`).join(''), {
    parser: 'markdown',
  });
}

export function withReadmeTable(text: string, table: string): string {
  return withMarkedPart(text, mark, table, where);
}

/** The table's cells as they stand in the text, without the header; the last row is the published one. */
export function readReadmeTable(text: string): string[][] {
  return tableRows(markedPart(text, mark, where));
}

/** Cells of all rows of a text's tables but for each one's header. */
export function tableRows(text: string): string[][] {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const isRule = (cells: readonly string[] | undefined): boolean =>
    cells?.every((cell) => /^:?-+:?$/.test(cell)) === true;
  return rows.filter((cells, index) => !isRule(cells) && !isRule(rows.at(index + 1)));
}

function medianCell(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? '' : shortPercent(spreadOf(known).median);
}

function shortPercent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}
