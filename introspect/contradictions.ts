// The last word on labels: what they rest on can't be given up by them. Throws where it is, as then the structures
// contradict each other and none of them can be believed.
//
//   evidence         every page that was read and believed is one that the kernel keeps for itself
//   running kernel   so are its text, its page tables, and what the CPUs execute and have their stacks in
//   processes        no page that a process has mapped is given up; where the CPUs are known, that is asked of the
//                    processes on them, else of all
import type { Introspected } from './find-kernel.js';
import { isolatedRootOf, sharesUpperHalf, tablesOfCpus } from './kernel/cpu-tables.js';
import type { Kernel } from './kernel/kernel.js';
import {
  entriesPerTable,
  FrameSet,
  readTable,
  visitMappedPages,
  visitTablePages,
} from './kernel/paging.js';
import type { TaskMemory } from './kernel/tasks.js';
import type { CpuState } from './memory/cpu-state.js';
import { type Gpa, pageIndexOf, pageSizeBytes } from './memory/physical-memory.js';
import { Inconsistency } from './mm/inconsistency.js';
import { pageClasses, type PageLabel } from './page-class.js';

/** Labels of pages that no program has a hand in; and of pages of which nothing is known, which are kept. */
const ownLabels: ReadonlySet<PageLabel> = new Set([
  'unknown',
  'not-ram',
  'slab',
  'page-table',
  'kernel-stack',
  'kernel-image',
  'reserved',
  'other',
  'large-kmalloc',
]);
const isOwn = Uint8Array.from(pageClasses, ({ label }) => (ownLabels.has(label) ? 1 : 0));
const isExpendable = Uint8Array.from(pageClasses, ({ expendable }) => (expendable ? 1 : 0));

const lowerHalf = { first: 0, end: entriesPerTable / 2 };
const whole = { first: 0, end: entriesPerTable };

/** Throws Inconsistency at the first contradiction. To be called when `labels` are final. */
export function expectNoContradiction(
  { kernel, running }: Extract<Introspected, { found: true }>,
  labels: Uint8Array,
  tasks: TaskMemory,
): void {
  noteTables(kernel, kernel.pageTableRoot, whole);
  noteText(kernel);
  if (running.proven) {
    noteCpus(kernel, running.cpus, labels);
  } else {
    noteProcesses(kernel, tasks.pageTableRoots, labels);
  }
  const wrong = kernel.memory.evidence.firstOutside(isOwn, labels);
  if (wrong !== undefined) {
    throw new Inconsistency(
      `frame ${wrong.pfn} holds what the labels rest on, and is labelled ${pageClasses[wrong.label].label}`,
    );
  }
}

function noteTables(kernel: Kernel, root: Gpa, entries: typeof whole): void {
  const { physical, pagingLevels, memory } = kernel;
  visitTablePages(physical, root, pagingLevels, entries, new FrameSet(physical), (gpa) => {
    memory.evidence.add(gpa, pageSizeBytes);
  });
}

function noteText(kernel: Kernel): void {
  const start = kernel.symbol('_text');
  const end = kernel.symbol('_etext');
  const isMapped =
    start === undefined || end === undefined || kernel.memory.record(start, Number(end - start));
  if (!isMapped) {
    throw new Inconsistency("the kernel's text is not mapped");
  }
}

function noteCpus(kernel: Kernel, cpus: readonly CpuState[], labels: Uint8Array): void {
  const { physical, pagingLevels, pageTableRoot, memory } = kernel;
  const tables = tablesOfCpus(physical, pageTableRoot, pagingLevels, cpus);
  if (!tables.shared) {
    throw new Inconsistency(tables.reason);
  }
  const entry = kernel.symbol('entry_SYSCALL_64');
  const seenRoots = new Set<Gpa>();
  for (const [number, cpu] of cpus.entries()) {
    const root = tables.roots[number];
    if (root === undefined) {
      continue;
    }
    expectEntry(number, cpu, entry);
    if (cpu.privilege === 0) {
      if (!memory.record(cpu.rip, 1)) {
        throw new Inconsistency(`CPU ${number} executes what the kernel has not mapped`);
      }
      // Not mapped: it has not left the program's stack yet.
      memory.record(cpu.rsp & ~BigInt(pageSizeBytes - 1), pageSizeBytes);
    }
    const isolated = isolatedRootOf(cpu, root);
    if (isolated !== undefined) {
      noteTables(kernel, isolated, whole);
    }
    if (!seenRoots.has(root)) {
      seenRoots.add(root);
      expectMappedKept(kernel, root, labels);
    }
  }
}

const flexibleReturnBit = 1n << 32n;

/** Every CPU that this kernel set up enters it at the same place (MSR LSTAR), unless by FRED (CR4 bit 32). */
function expectEntry(number: number, { lstar, cr4 }: CpuState, entry: bigint | undefined): void {
  if (lstar !== undefined && lstar !== entry && (cr4 & flexibleReturnBit) === 0n) {
    throw new Inconsistency(
      `CPU ${number} enters the kernel at 0x${lstar.toString(16)}, which is not where this kernel is entered`,
    );
  }
}

/**
 * The page tables of all processes must hold together with the labels, and have the kernel's half. Of a kernel that is dead
 * some are overwritten soon: a starting kernel's own image and initramfs alone take some ten MiB.
 */
function noteProcesses(kernel: Kernel, roots: readonly Gpa[], labels: Uint8Array): void {
  const { physical, pageTableRoot } = kernel;
  const own = readTable(physical, pageTableRoot);
  for (const root of roots) {
    const table = readTable(physical, root);
    if (own === undefined || table === undefined || !sharesUpperHalf(own, table)) {
      throw new Inconsistency(
        `the page table of a process at 0x${root.toString(16)} does not have the kernel's half`,
      );
    }
    expectMappedKept(kernel, root, labels);
  }
}

function expectMappedKept(kernel: Kernel, root: Gpa, labels: Uint8Array): void {
  const { physical, pagingLevels } = kernel;
  noteTables(kernel, root, lowerHalf);
  const areAllThere = visitMappedPages(
    physical,
    root,
    pagingLevels,
    lowerHalf,
    (gpa, sizeBytes) => {
      for (let at = gpa; at < gpa + sizeBytes; at += pageSizeBytes) {
        const page = pageIndexOf(physical.regions, at / pageSizeBytes);
        if (page !== undefined && isExpendable[labels[page]] === 1) {
          throw new Inconsistency(
            `frame ${at / pageSizeBytes} is mapped by a process, and labelled ${pageClasses[labels[page]].label}`,
          );
        }
      }
    },
  );
  if (!areAllThere) {
    throw new Inconsistency(`a page table of the process at 0x${root.toString(16)} is not in RAM`);
  }
}
