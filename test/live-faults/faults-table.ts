// docs/evidence/faults.md: what went wrong around live snapshots, and whether the VM and the store came to harm. Written by
// the run, never by hand.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { type FaultKind, faultKinds } from './kinds.js';
import { phases } from './moments.js';
import type { CaseResult } from './results.js';

export const faultsPath = fileURLToPath(new URL('../../docs/evidence/faults.md', import.meta.url));

export interface DoneCase {
  readonly kind: FaultKind;
  readonly index: number;
  readonly result: CaseResult;
}

const intro = `# Faults

What becomes of a running VM, its disks and the store when something breaks while a snapshot of it is taken or stored.
\`npm run test:faults\` takes snapshots of real guests, under emulation, lets each fault strike at random moments, and writes
this file. Two of three cases have a guest that runs while it is saved; the third one's RAM is a shared file, so that it
stands still meanwhile.

A case has **passed** when all of this holds after the fault:

- the VM runs, and writes 50 MiB of memory and a synced file within seconds;
- nothing of ours is in its QEMU: no node, job, export or NBD server; its disks are where they were, and so are all settings
  of migrations;
- nothing of ours is left in the scratch folder or the spool after the next run, and no process of ours is at work;
- every snapshot that the store lists is whole (\`pars verify --read-data\`); what was in the spool gets there once;
- the next \`pars upload --qmp\` succeeds, and is restored; in some of the cases the restored VM goes on too, with all that it
  held.

Moments: **starting**: nothing was touched. **prepared**: filters are made ready in QEMU. **stopping**: the VM is about to
stand still, or does. **running**: it runs again while it is saved. **storing**: all is captured, and being sent.
`;

const header = ['Fault', 'What happens', 'Cases', 'Passed', ...phases, 'too late'];
const alignment = header.map((_, column) => (column < 2 ? '---' : '--:'));

export async function writeFaultsTable(
  cases: readonly DoneCase[],
  wantedCount: number,
): Promise<void> {
  const kinds = Object.keys(faultKinds) as readonly FaultKind[];
  const rows = kinds.map((kind) => {
    const own = cases.filter((entry) => entry.kind === kind).map(({ result }) => result);
    const count = (phase: CaseResult['phase']): string =>
      String(own.filter((result) => result.phase === phase).length);
    return [
      kind,
      faultKinds[kind],
      String(own.length),
      String(own.filter(({ wrong }) => wrong.length === 0).length),
      ...phases.map(count),
      count(undefined),
    ];
  });
  const table = [header, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  const failed = cases.filter(({ result }) => result.wrong.length > 0);
  const total = [
    `${cases.length - failed.length} of ${cases.length} cases passed.`,
    ...(cases.length === wantedCount
      ? []
      : [`${wantedCount - cases.length} cases of ${wantedCount} have not been run.`]),
    ...failed.map(
      ({ kind, index, result }) =>
        `\n\n- ${kind}, case ${index}: ${result.wrong.join('; ').slice(0, 500)}`,
    ),
  ].join(' ');
  writeFileSync(
    faultsPath,
    await format(`${intro}\n${total}\n\n${table}`, { parser: 'markdown', printWidth: 120 }),
  );
}
