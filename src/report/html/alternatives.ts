// The alternatives as tables: what each takes and what is lost with nodes; what it costs; how its figure comes about.
import type { Alternative, Assumptions, SnapshotReport } from '../model/report.js';
import {
  bytesInWords,
  countInWords,
  countOf,
  percentInWords,
  priceInWords,
  probabilityInWords,
  rateInWords,
  secondsInWords,
} from '../words.js';
import { ownAlternative } from './headline.js';
import { type Content, type Markup, markup } from './markup.js';
import { type Column, table } from './table.js';

const titleColumn: Column<Alternative> = {
  title: 'Alternative',
  alignment: 'left',
  isRowHeader: true,
  cell: ({ title }) => title,
};

export function storedTable(report: SnapshotReport): Markup {
  const { alternatives } = report;
  const nodeCounts = [
    ...new Set(alternatives.flatMap(({ risk }) => risk.nodeLosses.map((loss) => loss.nodeCount))),
  ].sort((a, b) => a - b);
  const own = ownAlternative(report);
  return table({
    id: 'alternatives-table',
    caption:
      'What each alternative takes, and how probably it is lost with so many nodes gone at once, or within a year',
    columns: [
      titleColumn,
      { title: 'Stored', alignment: 'right', cell: (row) => bytesInWords(row.storedBytes) },
      { title: 'Saving', alignment: 'right', cell: (row) => percentInWords(row.savingFraction) },
      { title: 'Basis', alignment: 'left', cell: ({ basis }) => basis },
      { title: 'Resumes', alignment: 'left', cell: ({ resumes }) => yesOrNo(resumes) },
      ...nodeCounts.map((nodeCount): Column<Alternative> => ({
        title: countOf(nodeCount, 'node'),
        alignment: 'right',
        cell: ({ resumes, risk }) => {
          const loss = risk.nodeLosses.find((entry) => entry.nodeCount === nodeCount);
          return loss === undefined ? notKnown : lossCell(loss, resumes);
        },
      })),
      {
        title: 'A year',
        alignment: 'right',
        cell: ({ resumes, risk }) => lossCell(risk.perYear, resumes),
      },
    ],
    rows: alternatives,
    isEmphasised: (row) => row === own,
  });
}

/** What never resumes can still be lost, as a dump can. */
function lossCell(
  { doesNotResume, heals }: { readonly doesNotResume: number; readonly heals: number },
  resumes: boolean,
): Content {
  const below = !resumes
    ? 'of the dump'
    : heals === 0
      ? undefined
      : `heals ${probabilityInWords(heals)}`;
  return [
    probabilityInWords(doesNotResume),
    below === undefined ? undefined : markup`<br><span class="aside">${below}</span>`,
  ];
}

export function yesOrNo(is: boolean): Content {
  return is ? 'yes' : markup`<strong>no</strong>`;
}

export function riskNote({ alternatives }: SnapshotReport): Markup {
  const isReal = alternatives.some(({ risk }) =>
    risk.nodeLosses.some(({ basis }) => basis === 'placement'),
  );
  return markup`
<p>The upper figure is the probability that the guest cannot be resumed from what is left; <em>heals</em>, that it can,
once lost expendable pages are made good. ${
    isReal
      ? 'Where blocks really lie was asked of the store for what is stored, and every choice of nodes held against it; the rest is computed for copies spread evenly.'
      : 'All of it is computed for copies spread evenly over the nodes.'
  }</p>`;
}

export function costTable(report: SnapshotReport): Markup {
  const { alternatives, assumptions } = report;
  const own = ownAlternative(report);
  const bytes = (
    title: string,
    of: 'uploadBytes' | 'clusterBytes' | 'restoreBytes',
  ): Column<Alternative> => ({
    title,
    alignment: 'right',
    cell: ({ cost }) => bytesInWords(cost[of]),
  });
  const count = (title: string, of: 'fileCount' | 'blockCount'): Column<Alternative> => ({
    title,
    alignment: 'right',
    cell: ({ cost }) => countInWords(cost[of]),
  });
  const seconds = (title: string, of: 'uploadSeconds' | 'restoreSeconds'): Column<Alternative> => ({
    title,
    alignment: 'right',
    cell: ({ cost }) => secondsInWords(cost[of]),
  });
  return table({
    id: 'cost-table',
    caption: `What each alternative costs, over a link of ${linkInWords(assumptions)}`,
    columns: [
      titleColumn,
      bytes('Sent at upload', 'uploadBytes'),
      bytes('Between nodes', 'clusterBytes'),
      bytes('Read at restore', 'restoreBytes'),
      seconds('Upload', 'uploadSeconds'),
      seconds('Restore', 'restoreSeconds'),
      count('Files', 'fileCount'),
      count('Blocks', 'blockCount'),
      ...(assumptions.pricePerTbMonth === null
        ? []
        : [
            {
              title: 'Price a month',
              alignment: 'right',
              cell: ({ cost }: Alternative) =>
                cost.pricePerMonth === null ? notKnown : priceInWords(cost.pricePerMonth),
            } as const,
          ]),
    ],
    rows: alternatives,
    isEmphasised: (row) => row === own,
  });
}

export function linkInWords({ linkBytesPerSecond }: Assumptions): string {
  return rateInWords(linkBytesPerSecond);
}

export const formulaCaption = 'How the stored bytes of each alternative come about';

export function formulaTable(
  { alternatives }: SnapshotReport,
  id: string,
  caption = formulaCaption,
): Markup {
  return table({
    id,
    caption,
    columns: [
      titleColumn,
      { title: 'Basis', alignment: 'left', cell: ({ basis }) => basis },
      { title: 'Formula', alignment: 'left', cell: ({ formula }) => formula },
      { title: 'Note', alignment: 'left', cell: ({ note }) => note ?? '' },
    ],
    rows: alternatives,
  });
}

export const notKnown = '–';
