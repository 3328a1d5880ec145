// What the kernel left in the first MiB, where it keeps the code that other CPUs start with (arch/x86/realmode/init.c):
// a top-level page table whose last entry is the kernel's own. No program gets memory there (since 5.13 the kernel
// keeps the whole MiB for itself, arch/x86/kernel/setup.c), so it is asked for where no CPU was seen.
import { type Gpa, pageSizeBytes } from '../memory/physical-memory.js';
import type { Kernel } from './kernel.js';
import { entriesPerTable, readTable, targetOf } from './paging.js';

const firstMib = 2 ** 20;

/** Why the trampoline is not this kernel's; undefined when it is. */
export function doubtOfTrampoline(kernel: Kernel): string | undefined {
  const { physical, memory, pageTableRoot } = kernel;
  const table = tableOf(kernel);
  if (table === undefined || table + pageSizeBytes > firstMib || table % pageSizeBytes !== 0) {
    return 'it has no trampoline for starting CPUs below 1 MiB';
  }
  const last = entriesPerTable - 1;
  const own = targetOf(readTable(physical, pageTableRoot)?.[last] ?? 0n);
  const kept = targetOf(readTable(physical, table)?.[last] ?? 0n);
  if (own === undefined || own !== kept) {
    return 'the trampoline for starting CPUs below 1 MiB is that of another kernel';
  }
  memory.evidence.add(table, pageSizeBytes);
  return undefined;
}

/** Where `real_mode_header.trampoline_pgd` says that the table lies. */
function tableOf(kernel: Kernel): Gpa | undefined {
  const { memory, btf } = kernel;
  const pointer = kernel.symbol('real_mode_header');
  const member = btf.struct('real_mode_header')?.member('trampoline_pgd');
  const header = pointer === undefined ? undefined : memory.u64(pointer);
  return header === undefined || header === 0n || member?.sizeBytes !== 4
    ? undefined
    : memory.u32(header + BigInt(member.offsetBytes));
}
