// A report as rows of RFC 4180: an alternative, a snapshot or a VM each. Sizes are bytes and shares are of 1.
import { stringify } from 'csv-stringify/sync';
import { visibleText } from '../text/visible-text.js';
import type { Alternative, NodeLoss, Report, SnapshotReport } from './model/report.js';

export function reportCsv(report: Report): string {
  return stringify(rowsOf(report).map(asCells), {
    header: true,
    record_delimiter: 'windows',
    // A spreadsheet would reckon with what begins like a formula; an apostrophe before it says that it is text.
    escape_formulas: true,
  });
}

type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Numbers stay numbers. */
function asCells(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' ? visibleText(value) : value,
    ]),
  );
}

function rowsOf(report: Report): Row[] {
  switch (report.kind) {
    case 'snapshot':
      return alternativeRows(report);
    case 'comparison':
      return [...alternativeRows(report.before), ...alternativeRows(report.after)];
    case 'history':
      return report.snapshots.map(({ labels, ...point }) => ({
        vm: report.vm,
        ...point,
        ...Object.fromEntries(labels.map(({ label, pageCount }) => [`pages ${label}`, pageCount])),
      }));
    case 'fleet':
      return [...report.largest];
  }
}

function alternativeRows({ subject, alternatives }: SnapshotReport): Row[] {
  return alternatives.map((alternative) => ({
    snapshot: subject.id ?? subject.imagePath,
    ...figuresOf(alternative),
  }));
}

function figuresOf({ parts, risk, cost, ...figures }: Alternative): Row {
  return {
    ...figures,
    oneCopyBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ...Object.assign({}, ...risk.nodeLosses.map(lossColumns)),
    doesNotResumePerYear: risk.perYear.doesNotResume,
    healsPerYear: risk.perYear.heals,
    ...cost,
  } as Row;
}

function lossColumns({ nodeCount, doesNotResume, heals, basis }: NodeLoss): Row {
  return {
    [`doesNotResumeWithout${nodeCount}`]: doesNotResume,
    [`healsWithout${nodeCount}`]: heals,
    [`basisWithout${nodeCount}`]: basis,
  };
}
