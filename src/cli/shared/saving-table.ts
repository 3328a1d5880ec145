// The table that classify, a dry run and the demo print: pages by label, copies, and what that saves.
import type { PlannedSaving } from '../../plan/saving.js';
import type { Lines } from '../../text/standard-streams.js';
import { formatBytes, formatPercent, formatTable } from './format.js';

export function savingTable(saving: PlannedSaving): Lines {
  const rows = saving.labels.map((entry) => [
    entry.label,
    entry.expendable ? 'expendable' : 'critical',
    String(entry.pageCount),
    formatPercent(entry.pageCount / saving.pageCount),
    formatBytes(entry.sizeBytes),
    entry.code ?? String(entry.replication),
  ]);
  const { nativeBytes, chosenBytes, savingFraction } = saving.total;
  return [
    formatTable(['label', 'class', 'pages', 'share', 'size', 'copies'], rows, [
      'left',
      'left',
      'right',
      'right',
      'right',
      'right',
    ]),
    '',
    `All at replication 3: ${formatBytes(nativeBytes)}. By label: ${formatBytes(chosenBytes)}. ` +
      `Saved: ${formatPercent(savingFraction)} (before compression and zero pages).`,
    ...notStoredLine(saving),
  ];
}

function notStoredLine({ notStored }: PlannedSaving): readonly string[] {
  return notStored === undefined
    ? []
    : [
        `${notStored.pageCount} pages counted here with one copy are not stored at all: ` +
          `${formatBytes(notStored.total.chosenBytes)}, saved ${formatPercent(notStored.total.savingFraction)}.`,
      ];
}
