// docs/evidence/kernels.md: which guests were labelled, and how well. Written by the matrix's run, never by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import type { MatrixCase } from './cases.js';
import { freeFoundFraction, percent, savingByIdeal } from './figures.js';
import type { CaseResult } from './results.js';

export const supportPath = fileURLToPath(
  new URL('../../docs/evidence/kernels.md', import.meta.url),
);

const intro = `# Guests

Which Linux kernels PARS finds inside raw guest RAM, and how well its labels agree with what those kernels say of their
own pages. \`npm run test:matrix\` boots every row, and writes this file; that takes a quarter of an hour to
an hour under emulation.

- **Pages**: of 4 KiB, all labelled. The kernel's word is \`/proc/kpageflags\` and \`/proc/kpagecount\`, read right before the
  snapshot and again in a resumed copy; **left out** are pages on which the two readings differ.
- **Wrong**: pages labelled expendable that the kernel calls dirty, anonymous, slab, page table, locked, under writeback,
  mlocked, unevictable, swap-backed, mapped, reserved, hugetlb, KSM, or with private data. Must be 0.
- **Free found**: pages labelled free, by the zones' own counters (free, and on CPUs' lists). Must be at least 99.5 %.
- **Saving**: what one copy of expendable pages and three of the others saves, by what it would save if every free page
  and every clean, unmapped page of the page cache were known. Must be at least 99 %.

Workloads: **cache** reads files and maps many of them; **anonymous** has huge pages of all kinds, merged pages (KSM), and
swap on a disk and in compressed memory; **aged** was full before, and has dirty files, tmpfs and locked memory.
On x86-64 under QEMU. The kernels are Debian's own, but for two that \`test/setup/built-kernel.mjs\` builds from Debian's
sources: **nobtf** has no BTF (\`CONFIG_DEBUG_INFO_BTF=n\`), so only free pages are told from others, all cache is kept, and the
evidence is \`partial\`; 99.5 % of the free pages that are on no CPU's list must be found, and its saving is what the table says. **nosmp** is for one CPU alone
(\`CONFIG_SMP=n\`). Debian builds 5.10 without five-level paging. Where RAM lies in several places, the file of a DIMM is joined to
that of the RAM, and its place is found by the kernel; RAM with little below 4 GiB has an \`IMAGE.map.json\`.
`;

const header = [
  ...['Kernel', 'Flavour', 'CPUs', 'Paging', 'RAM, MiB', 'Workload', 'Result'],
  ...['Pages', 'Left out', 'Wrong', 'Free found', 'Saving'],
];
const alignment = header.map((_, column) =>
  column === 0 || [1, 5, 6].includes(column) ? '---' : '--:',
);

export async function writeSupportTable(
  results: readonly (readonly [MatrixCase, CaseResult])[],
): Promise<void> {
  const rows = results.map(([entry, result]) => [
    result.release,
    ...identityCells(entry),
    result.shortcomings.length === 0 ? 'pass' : 'FAIL',
    ...figureCells(result),
  ]);
  const table = [header, alignment, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  writeFileSync(supportPath, await format(`${intro}\n${table}`, { parser: 'markdown' }));
}

/** What a row says of the guest, but for the kernel's full release, which follows Debian. */
export function identityCells(entry: MatrixCase): string[] {
  return [
    entry.flavour,
    String(entry.vcpuCount),
    String(entry.pagingLevels),
    ramCell(entry),
    [entry.workload, ...(entry.kernelArguments ?? []).map((word) => `\`${word}\``)].join(', '),
  ];
}

function ramCell({ ramSizeMib, dimmSizeMib, lowRamSizeMib }: MatrixCase): string {
  if (dimmSizeMib !== undefined) {
    return `${ramSizeMib}, and a DIMM of ${dimmSizeMib}`;
  }
  return lowRamSizeMib === undefined
    ? String(ramSizeMib)
    : `${ramSizeMib}, ${lowRamSizeMib} of it below 4 GiB`;
}

function figureCells({ figures }: CaseResult): string[] {
  return [
    String(figures.pageCount),
    percent(figures.leftOutCount / figures.pageCount),
    String(figures.wrongCount),
    percent(freeFoundFraction(figures)),
    percent(savingByIdeal(figures)),
  ];
}

/** The table's rows as they stand in the file, cell by cell. */
export function readSupportTable(): string[][] {
  return readFileSync(supportPath, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}
