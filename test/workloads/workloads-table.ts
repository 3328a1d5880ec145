// docs/evidence/workloads.md: what storing by label saves for guests under real workloads, and what the rest is. Written by
// the run, never by hand.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { spreadOf } from '../../bench/samples.js';
import type { PageLabel } from '../../introspect/page-class.js';
import { publishedFraction } from '../../src/report/model/published-metric.js';
import { percent } from '../matrix/figures.js';
import { remedyFor } from './critical-remedies.js';
import { type MomentFigures, momentFigures } from './moment-figures.js';
import type { CaseResult } from './results.js';
import type { WorkloadCase } from './workloads.js';

export const workloadsPath = fileURLToPath(
  new URL('../../docs/evidence/workloads.md', import.meta.url),
);

type Results = readonly (readonly [WorkloadCase, CaseResult])[];

/** The least part of the critical pages that is gone into. */
const namedFractionMin = 0.1;

const intro = `# Workloads

What storing by label saves for guests that do real work. \`npm run report:readme\` builds a Debian 12 userland with
everything in it, boots it under QEMU for each workload and kernel, stops the guest at three moments, measures its RAM and
the disk of the same moment as they are, and writes this file and the README's table; that takes half an hour
to an hour under emulation.

All savings are against the raw file with three copies of everything.

- **At**: the workload's own progress when the guest was stopped, in the unit that is said below.
- **Free**, **Cached**: the guest's own \`MemFree\` and \`Cached\`, by its \`MemTotal\`.
- **Evidence**: \`complete\` where all that the guest's kernel says of its pages adds up; under \`partial\` what the doubt
  bears on is kept three times, and the findings below say what it is.
- **Expendable**: pages that policy \`strict\` stores once.
- **3 and 1**: whole pages, critical ones three times and the others once; no compression, zero pages counted as pages. The
  published result of this kind is ${percent(publishedFraction)}; ${percent(2 / 3)} is the most that it can be. **With disk** counts pages as expendable
  that the disk holds byte for byte, as policy \`disk\` does.
- **strict**, **disk**, **lean**: what the packs of \`pars upload --codec zstd\` (level 3) take under that policy, all copies, without
  zero pages. **strict lz4**: by \`--codec lz4\`, which is the most that an upload takes by default, where the codec goes by
  how fast the store is. **strict RS-6-3**: by zstd, with critical packs erasure coded.
- **lz4**, **zstd** (level 3): the whole file compressed, three copies. **zstd RS-6-3**: the latter erasure coded instead.
  **of zstd**: what \`strict\` takes, as a part of what zstd takes, three copies of the file. **makedumpfile**: what
  \`makedumpfile -d 31\` keeps, uncompressed, three copies; no VM can be resumed from it.

Most of these guests were booted minutes before, and what they never used is zero pages, which flatters every column with
compression; \`aged\` is the one whose free pages hold old data. All guests have one CPU and no swap.
`;

const header = [
  ...['Workload', 'Kernel', 'Moment', 'At', 'Free', 'Cached', 'Evidence', 'Expendable'],
  ...['3 and 1', 'With disk', 'strict', 'disk', 'lean', 'strict lz4', 'strict RS-6-3'],
  ...['lz4', 'zstd', 'zstd RS-6-3', 'of zstd', 'makedumpfile'],
];
const alignment = header.map((name) =>
  ['Workload', 'Kernel', 'Moment', 'Evidence'].includes(name) ? '---' : '--:',
);

export async function writeWorkloadsTable(results: Results): Promise<void> {
  writeFileSync(workloadsPath, await workloadsText(results));
}

export async function workloadsText(results: Results): Promise<string> {
  const rows = results.flatMap(([entry, result]) => rowsOf(entry, result));
  const table = [header, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const text = [
    intro,
    '## The workloads',
    '',
    ...workloadsOf(results).map(
      ({ name, does, ramSizeMib, unit }) =>
        `- **${name}**: ${ramSizeMib} MiB of RAM; the guest ${does}. At: ${unit}.`,
    ),
    '',
    table,
    ...findings(results),
    '## What the rest is',
    '',
    'Of the critical pages, by label, median over moments and kernels; what is less than ' +
      `${percent(namedFractionMin)} is left out.`,
    '',
    ...workloadsOf(results).flatMap(({ name }) => restOf(name, results)),
  ].join('\n');
  return await format(text, { parser: 'markdown', printWidth: 120 });
}

function workloadsOf(results: Results) {
  return [...new Set(results.map(([{ workload }]) => workload))];
}

function rowsOf({ workload }: WorkloadCase, { release, moments }: CaseResult): string[][] {
  return moments.map((moment) => {
    const figures = momentFigures(moment);
    const { MemTotal, MemFree, Cached } = moment.meminfo;
    return [
      ...[workload.name, release, moment.name, String(moment.progress)],
      ...[percent(MemFree / MemTotal), percent(Cached / MemTotal)],
      figures.evidence,
      ...[figures.expendableFraction, figures.plannedFraction, figures.plannedDiskFraction].map(
        percent,
      ),
      ...Object.values(figures.savingFractions).map(percent),
      ...[figures.strictLz4Fraction, figures.strictCodedFraction].map(percent),
      ...[figures.lz4Fraction, figures.zstdFraction, figures.zstdCodedFraction].map(
        percentOrNothing,
      ),
      figures.strictOfZstd?.toFixed(2) ?? '',
      typeof figures.dumpFraction === 'string' ? 'failed' : percentOrNothing(figures.dumpFraction),
    ];
  });
}

/** Whatever is not as it should be, a line each. */
function findings(results: Results): string[] {
  const lines = results.flatMap(([{ workload }, { release, moments }]) =>
    moments.flatMap((moment) => {
      const { evidence, warnings } = moment.figures;
      const { dumpFraction } = momentFigures(moment);
      const doubt = evidence.kind === 'complete' ? [] : [`${evidence.kind}: ${evidence.reason}`];
      const found = [
        // The doubts of `partial` are among the warnings.
        ...(warnings.length > 0 ? warnings : doubt),
        ...(typeof dumpFraction === 'string' ? [`makedumpfile: ${dumpFraction}`] : []),
      ];
      return found.map((line) => `${workload.name}, ${release}, ${moment.name}: ${line}`);
    }),
  );
  const heading = ['## Findings', ''];
  if (lines.length === 0) {
    return [...heading, 'None: all evidence is complete, without warnings.', ''];
  }
  return [...heading, ...lines.map((line) => `- ${line}`), ''];
}

function restOf(name: string, results: Results): string[] {
  const figures = results
    .filter(([{ workload }]) => workload.name === name)
    .flatMap(([, { moments }]) => moments.map(momentFigures));
  const labels = new Set(figures.flatMap(({ critical }) => critical.map(({ label }) => label)));
  const entries = [...labels]
    .map((label) => ({
      label,
      fraction: spreadOf(figures.map((moment) => fractionOf(moment, label))).median,
      held: heldOf(figures, label),
    }))
    .filter(({ fraction }) => fraction >= namedFractionMin)
    .sort((a, b) => b.fraction - a.fraction);
  return [
    `**${name}**`,
    '',
    ...entries.map(({ label, fraction, held }) => {
      const proven = held === undefined ? '' : ` The disk holds ${percent(held)} of it.`;
      return `- \`${label}\`, ${percent(fraction)}. ${remedyFor(label)}${proven}`;
    }),
    '',
  ];
}

function fractionOf({ critical }: MomentFigures, label: PageLabel): number {
  return critical.find((entry) => entry.label === label)?.criticalFraction ?? 0;
}

function heldOf(figures: readonly MomentFigures[], label: PageLabel): number | undefined {
  const known = figures.flatMap(
    ({ critical }) => critical.find((entry) => entry.label === label)?.heldFraction ?? [],
  );
  return known.length === 0 ? undefined : spreadOf(known).median;
}

function percentOrNothing(fraction: number | undefined): string {
  return fraction === undefined ? '' : percent(fraction);
}
