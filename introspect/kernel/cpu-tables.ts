// Whether the CPUs run on a kernel's page tables: each one's own table must share the kernel's half with it.
//
// After a reset, a reboot or kexec the kernel before lies in RAM whole, until it is overwritten; and a program may lay
// out a kernel of its own. No CPU runs on the tables of either.
//
// A process's table has the kernel's entries in its upper half (arch/x86/mm/init_64.c, sync_global_pgds). Under page
// table isolation a CPU in user mode runs on a table with few of them, which is the second of two pages; the kernel's
// own is the first (arch/x86/entry/calling.h, PTI_USER_PGTABLE_BIT).
import { type CpuState, isInLongMode, isParked, pagingLevelsOf } from '../memory/cpu-state.js';
import { type Gpa, pageSizeBytes, type PhysicalMemory } from '../memory/physical-memory.js';
import { entriesPerTable, type PagingLevels, readTable, targetOf } from './paging.js';

export type CpuTables =
  /** By CPU: the table with the kernel's half that it runs on; undefined for one that says nothing of it. */
  | { readonly shared: true; readonly roots: readonly (Gpa | undefined)[] }
  | {
      readonly shared: false;
      readonly reason: string;
      /** Where the CPU's table lies, if the image has nothing there. */
      readonly missing?: Gpa;
    };

/** Bits of CR3 that place the table: the low ones are a PCID or flags. */
const cr3AddressMask = 0x000f_ffff_ffff_f000n;
const isolationBit = 1n << 12n;

/** `root`: the kernel's own top-level table. */
export function tablesOfCpus(
  physical: PhysicalMemory,
  root: Gpa,
  levels: PagingLevels,
  cpus: readonly CpuState[],
): CpuTables {
  const kernel = readTable(physical, root);
  if (kernel === undefined) {
    return { shared: false, reason: 'its page tables are not in the image' };
  }
  const roots: (Gpa | undefined)[] = [];
  for (const [number, cpu] of cpus.entries()) {
    // What a nested guest runs on says nothing of this kernel.
    const isSilent = cpu.isInNestedGuest === true;
    const found = isSilent ? undefined : rootOf(physical, kernel, levels, cpu);
    if (found === undefined && !isSilent && !isParked(cpu)) {
      const gpa = Number(cpu.cr3 & cr3AddressMask);
      return {
        shared: false,
        reason: strangeCpu(number, cpu, levels),
        ...(isInLongMode(cpu) && readTable(physical, gpa) === undefined ? { missing: gpa } : {}),
      };
    }
    roots.push(found);
  }
  return roots.some((found) => found !== undefined)
    ? { shared: true, roots }
    : { shared: false, reason: 'no CPU was started, or all run guests of this guest' };
}

function rootOf(
  physical: PhysicalMemory,
  kernel: BigUint64Array,
  levels: PagingLevels,
  cpu: CpuState,
): Gpa | undefined {
  if (!isInLongMode(cpu) || pagingLevelsOf(cpu) !== levels) {
    return undefined;
  }
  const own = cpu.cr3 & cr3AddressMask;
  const candidates = (own & isolationBit) === 0n ? [own] : [own, own - isolationBit];
  return candidates.map(Number).find((gpa) => {
    const table = readTable(physical, gpa);
    return table !== undefined && sharesUpperHalf(kernel, table);
  });
}

/** Every entry that the kernel has must be the same there. A process may have one more: its own segments' (LDT). */
export function sharesUpperHalf(kernel: BigUint64Array, table: BigUint64Array): boolean {
  let sharedCount = 0;
  for (let index = entriesPerTable / 2; index < entriesPerTable; index++) {
    const target = targetOf(kernel[index]);
    if (target !== undefined) {
      if (targetOf(table[index]) !== target) {
        return false;
      }
      sharedCount++;
    }
  }
  return sharedCount > 0;
}

function strangeCpu(number: number, cpu: CpuState, levels: PagingLevels): string {
  const found = !isInLongMode(cpu)
    ? 'is not in long mode'
    : pagingLevelsOf(cpu) !== levels
      ? `has page tables of ${pagingLevelsOf(cpu)} levels, and the kernel's have ${levels}`
      : `runs on other page tables (CR3 0x${cpu.cr3.toString(16)})`;
  return `CPU ${number} ${found}: the kernel found is not the one that runs, or not alone`;
}

/** The page of the table that a CPU in user mode runs on under page table isolation, beside `root`; else undefined. */
export function isolatedRootOf(cpu: CpuState, root: Gpa): Gpa | undefined {
  return Number(cpu.cr3 & cr3AddressMask) === root + pageSizeBytes
    ? root + pageSizeBytes
    : undefined;
}
