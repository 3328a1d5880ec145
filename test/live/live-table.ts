// docs/evidence/live.md: what came of live snapshots of a guest under load. Written by the run, never by hand.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { formatSpread, spreadOf } from '../../bench/samples.js';
import { percent } from '../matrix/figures.js';
import type { LiveOutcome } from './take-live-snapshot.js';

export const livePath = fileURLToPath(new URL('../../docs/evidence/live.md', import.meta.url));

export interface LiveRun {
  readonly outcomes: readonly LiveOutcome[];
  /** Between two ticks, while nothing was done. */
  readonly restGapsMs: readonly number[];
  /** The longest in each window as long as those around a snapshot. */
  readonly restWindowsMs: readonly number[];
  /** The shares of the CPUs' time that others than the run took, at rest before each snapshot and after the last one. */
  readonly otherShares: readonly number[];
  /** What was wrong with the disk of the same guest, stopped by hand. */
  readonly stopped: readonly string[];
}

const intro = `# Live snapshots

What becomes of a guest that is captured while it works. \`npm run test:live\` takes twenty snapshots of one guest under load
with \`pars upload --qmp\`, restores and resumes each of them, and writes this file; that takes a quarter of an hour.

Three programs in the guest are witnesses. One appends numbered records to files and syncs each before the next is begun,
and counts in its memory; one rewrites 1024 pages in turn, over and over, each time under one generation; one sends a tick
each 10 ms. **Whole** means:

- Before anything runs from it: the RAM has all pages of the second witness, of one generation up to some page and of the one
  before behind it, with at most one half-written; the disk, once its journal is replayed, is clean for \`e2fsck -fn\`, with
  nothing else repaired but the superblock's totals of free blocks and inodes, which no mounted ext4 has right; it holds every
  record that the RAM says was synced, and none that the RAM says was not begun.
- In the guest resumed from it: after its caches were dropped, all records are read from the disk, and go on; no page
  was ever found to be of another generation; held memory has its hashes; what ran runs on; the kernel's log has no BUG, Oops,
  corruption or I/O error; and when the file system is unmounted, \`e2fsck -fn\` finds nothing.

A snapshot of the RAM alone has the disk of a moment at which nothing was written. Most of the guest's RAM has been in use,
as that of a VM has that has been up for a while; and the host has nothing to write but what the guest writes.

- **Stood still**: from the stop of the VM to its going on, by QEMU's own events.
- **Ticks**: the longest time between two ticks around the snapshot, as they arrive outside of the guest, less the usual.
  The usual is the median of the longest in as many ticks at rest.
- **Own clock**: the longest time between two ticks by the guest's own clock while the whole capture went on. That clock
  stands still with the guest.
- **Others**: how much of the CPUs' time other programs took right before. They lengthen all of it.
- **Records**: synced by the RAM's account, found on the disk, begun by the RAM's account.
`;

const header = [
  '',
  'What',
  'Way',
  'Stood still',
  'Ticks',
  'Own clock',
  'Records',
  'Whole',
  'Others',
];
const alignment = ['--:', '---', '---', '--:', '--:', '--:', '---', '---', '--:'];

export async function writeLiveTable(run: LiveRun): Promise<void> {
  const { outcomes, restWindowsMs, restGapsMs, otherShares, stopped } = run;
  const usualMs = spreadOf(restWindowsMs).median;
  const rows = outcomes.map((outcome, index) => rowOf(outcome, usualMs, index, otherShares[index]));
  const table = [header, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const wholeCount = outcomes.filter(({ wrong }) => wrong.length === 0).length;
  const findings = outcomes.flatMap(({ wrong }, index) =>
    wrong.length === 0 ? [] : [`- ${index + 1}: ${wrong.join('; ')}`],
  );
  const text = [
    intro,
    `${wholeCount} of ${outcomes.length} snapshots are whole.`,
    ...findings,
    ...(['RAM and disks', 'RAM'] as const).map((extent) => medians(run, extent, usualMs)),
    `- At rest: ${formatSpread(restGapsMs, 1)} ms between two ticks; the longest in a window: ${formatSpread(restWindowsMs, 1)} ms.`,
    `- At rest other programs took ${percent(spreadOf(otherShares).median)} of the CPUs' time (median), up to ${percent(Math.max(...otherShares))}.`,
    `- The disk of the same guest stopped by hand: ${stopped.length === 0 ? 'whole' : stopped.join('; ')}.`,
    '',
    table,
  ].join('\n');
  writeFileSync(livePath, await format(text, { parser: 'markdown' }));
}

function medians({ outcomes }: LiveRun, extent: string, usualMs: number): string {
  const those = outcomes.filter((outcome) => outcome.extent === extent);
  const stood = formatSpread(
    those.map(({ downtimeMs }) => downtimeMs),
    1,
  );
  const ticks = formatSpread(
    those.map(({ gapMs }) => gapMs - usualMs),
    1,
  );
  return `- ${extent}: stood still for ${stood} ms; ticks ${ticks} ms.`;
}

function rowOf(
  outcome: LiveOutcome,
  usualMs: number,
  index: number,
  otherShare: number,
): readonly string[] {
  const { extent, way, downtimeMs, gapMs, ownGapMs, records, wrong } = outcome;
  return [
    String(index + 1),
    extent,
    way,
    `${downtimeMs.toFixed(1)} ms`,
    `${(gapMs - usualMs).toFixed(1)} ms`,
    `${ownGapMs.toFixed(1)} ms`,
    `${records.synced} ≤ ${records.onDisk} ≤ ${records.begun}`,
    wrong.length === 0 ? 'yes' : 'no',
    percent(otherShare),
  ];
}
