// docs/evidence/survival.md: which guests lost what, and whether they lived. Written by the soak's run, never by hand.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { percent } from '../matrix/figures.js';
import { guestName, type SoakGuest } from './cases.js';
import { type CaseKey, type CaseResult, triesOf } from './results.js';

export const survivalPath = fileURLToPath(
  new URL('../../docs/evidence/survival.md', import.meta.url),
);

export interface DoneCase {
  readonly guest: SoakGuest;
  readonly key: CaseKey;
  readonly result: CaseResult;
}

const intro = `# Survival

What becomes of a guest that has lost the pages that were stored once. \`npm run test:soak\` boots every guest here, lets it
work, and writes this file; that takes an hour or two under emulation, and goes on where it was interrupted.

- **All lost**: the snapshot is uploaded to a real HDFS, the block files of everything stored once are deleted from the
  DataNodes, the rest is restored and healed, and the guest resumed. Two or three moments of each guest, under the policy
  \`strict\`, and under \`disk\` or \`lean\` or both; one, under \`strict\`, of those with arguments.
- **Part lost**: 1, 10 or 50 % of the expendable pages, in runs anywhere, or first one half of every large folio.
- **Survived** means, in the resumed guest: all files have their checksums; so have anonymous memory, huge pages and tmpfs;
  programs run on, and new ones start from the disk; a database that was being written is whole and goes on; new files can
  be written, synced and read back; caches can be dropped, and all files read again; a process can have four fifths of the
  RAM, all of it zero at first; the kernel's log has no BUG, Oops, bad page, segfault, corruption or I/O error. Guests that
  lose nothing are out of memory under that now and then, too: one that died is booted again, and tried anew.
- **Saved**: planned bytes against three copies of all pages: with \`strict\`, with \`disk\`, and with \`lean\`, where free pages
  and what the disk holds are not stored at all, so that it is no longer three copies and one.
- **On disk**: the share of the clean cache that cannot be read again by the guest (mapped, with buffers, of a block device)
  whose bytes the disk was seen to hold.

Workloads: **programs** run from the disk, with their libraries mapped; **database** is SQLite with a write-ahead log, with
inserts going on; **anonymous** has huge pages, merged pages and swap; **aged** was full before, and has dirty files, tmpfs
and locked memory. Debian's own kernels, on x86-64 under QEMU.
`;

const header = [
  ...['Kernel', 'Flavour', 'Workload', 'Files on', 'All lost', 'Part lost'],
  ...['Filled', 'Read again', 'Put back', 'Saved strict', 'disk', 'lean', 'On disk'],
];
const alignment = header.map((_, column) => (column < 6 ? '---' : '--:'));

export async function writeSurvivalTable(
  cases: readonly DoneCase[],
  wantedCount: number,
): Promise<void> {
  const byGuest = new Map<string, DoneCase[]>();
  for (const entry of cases) {
    const name = guestName(entry.guest);
    byGuest.set(name, [...(byGuest.get(name) ?? []), entry]);
  }
  const table = [header, alignment, ...[...byGuest.values()].map(rowOf)]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
  const died = cases.filter(({ result }) => result.outcome.wrong.length > 0);
  const retriedCount = cases.filter(({ result }) => triesOf(result) > 1).length;
  const total = [
    `${survivedOf(cases, 'all')} guests that lost everything stored once survived, and ` +
      `${survivedOf(cases, 'part')} that lost a part of it.`,
    ...(retriedCount === 0 ? [] : [`Of all these ${retriedCount} did not at the first try.`]),
    ...(cases.length === wantedCount
      ? []
      : [`${wantedCount - cases.length} cases of ${wantedCount} have not been run.`]),
    ...died.map(
      ({ guest, key, result }) =>
        `\n\n- ${guestName(guest)} ${key} did not: ${result.outcome.wrong.join('; ')}`,
    ),
  ].join(' ');
  const text = `${intro}\n${total}\n\n${table}`;
  writeFileSync(survivalPath, await format(text, { parser: 'markdown' }));
}

function rowOf(cases: readonly DoneCase[]): readonly string[] {
  const { guest, result } = cases[0];
  const all = cases.filter(({ key }) => key.endsWith('all')).map((entry) => entry.result.outcome);
  const most = (value: (outcome: (typeof all)[number]) => number): string =>
    String(Math.max(0, ...all.map(value)));
  const under = (policy: string) =>
    cases.find(
      ({ key }) =>
        key.endsWith('all') && guest.moments[Number(key.split('-')[0])].policy === policy,
    )?.result.outcome;
  return [
    result.release,
    guest.flavour,
    [guest.workload, ...guest.kernelArguments.map((word) => `\`${word}\``)].join(', '),
    guest.fileSystem,
    survivedOf(cases, 'all'),
    survivedOf(cases, 'part'),
    most(({ healed }) => healed.filledPageCount),
    most(({ healed }) => healed.rereadPageCount),
    most(({ healed }) => healed.putBackPageCount),
    shareOf(under('strict')?.savingFraction),
    shareOf(under('disk')?.savingFraction),
    shareOf(under('lean')?.leanSavingFraction),
    diskShare(under('disk')),
  ];
}

function survivedOf(cases: readonly DoneCase[], kind: 'all' | 'part'): string {
  const ofKind = cases.filter(({ key }) => key.endsWith(kind));
  const survived = ofKind.filter(({ result }) => result.outcome.wrong.length === 0);
  return `${survived.length} of ${ofKind.length}`;
}

function shareOf(fraction: number | undefined): string {
  return fraction === undefined ? '' : percent(fraction);
}

function diskShare(outcome: CaseResult['outcome'] | undefined): string {
  const counts = (outcome?.diskHeld ?? []).filter(({ label }) => label !== 'file-reread');
  const pageCount = counts.reduce((sum, entry) => sum + entry.pageCount, 0);
  const heldCount = counts.reduce((sum, entry) => sum + entry.heldPageCount, 0);
  return pageCount === 0 ? '' : percent(heldCount / pageCount);
}
