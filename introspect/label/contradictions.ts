// The last word on labels: what they rest on can't be given up by them. Throws where it is, as then the structures
// contradict each other and none of them can be believed.
//
//   evidence         every page that was read and believed is one that the kernel keeps for itself
//   running kernel   so are its text, its page tables, and what the CPUs execute and have their stacks in
//   processes        no page that a process has mapped is given up; where the CPUs are known, that is asked of the
//                    processes on them, else of all
import { Inconsistency } from '../inconsistency.js';
import { isolatedRootOf, sharesUpperHalf, tablesOfCpus } from '../kernel/cpu-tables.js';
import { type Kernel, kernelImageLimitBytes } from '../kernel/kernel.js';
import {
  entriesPerTable,
  FrameSet,
  readTable,
  visitMappedPages,
  visitTablePages,
} from '../kernel/paging.js';
import type { TaskMemory } from '../kernel/tasks.js';
import type { CpuState } from '../memory/cpu-state.js';
import { type Gpa, pageIndexOf, pageSizeBytes } from '../memory/physical-memory.js';
import { pageClasses, type PageLabel } from '../page-class.js';
import type { Introspected } from './find-kernel.js';

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
  noteTables(kernel, [kernel.pageTableRoot], whole);
  noteText(kernel);
  if (running.proven) {
    noteCpus(kernel, running.cpus, labels);
    // Page tables of processes that no CPU is in were read to be named, and a memmap that calls one of them free lies.
    noteTables(kernel, tasks.pageTableRoots, lowerHalf);
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

function noteTables(kernel: Kernel, roots: readonly Gpa[], entries: typeof whole): void {
  const { physical, pagingLevels, memory } = kernel;
  const seen = new FrameSet(physical);
  for (const root of roots) {
    visitTablePages(physical, root, pagingLevels, entries, seen, (gpa) => {
      memory.evidence.add(gpa, pageSizeBytes);
    });
  }
}

function noteText(kernel: Kernel): void {
  const start = kernel.symbol('_text');
  const end = kernel.symbol('_etext');
  if (
    start === undefined ||
    end === undefined ||
    end <= start ||
    end - start > kernelImageLimitBytes ||
    !kernel.memory.record(start, Number(end - start))
  ) {
    throw new Inconsistency("the kernel's text is not where a kernel has it, or not mapped");
  }
}

function noteCpus(kernel: Kernel, cpus: readonly CpuState[], labels: Uint8Array): void {
  const { physical, pagingLevels, pageTableRoot, memory } = kernel;
  const tables = tablesOfCpus(physical, pageTableRoot, pagingLevels, cpus);
  if (!tables.shared) {
    throw new Inconsistency(tables.reason);
  }
  const running = cpus.flatMap((cpu, number) => {
    const root = tables.roots[number];
    return root === undefined ? [] : [{ cpu, number, root }];
  });
  expectEntry(kernel, running);
  for (const { cpu, number } of running) {
    if (cpu.privilege !== 0) {
      continue;
    }
    if (!memory.record(cpu.rip, 1)) {
      throw new Inconsistency(`CPU ${number} executes what the kernel has not mapped`);
    }
    // The last byte pushed: right after entry the pointer itself is at the stack's very end. What is not mapped is the
    // program's stack, which it has not left yet.
    memory.record(cpu.rsp - 1n, 1);
  }
  noteTables(
    kernel,
    running.flatMap(({ cpu, root }) => isolatedRootOf(cpu, root) ?? []),
    whole,
  );
  expectMappedKept(
    kernel,
    running.map(({ root }) => root),
    labels,
  );
}

const flexibleReturnBit = 1n << 32n;

/**
 * Every CPU that this kernel set up enters it at the same place (MSR LSTAR), unless by FRED (CR4 bit 32). On a CPU that ran
 * a guest of this guest it may be that one's until the CPU goes back to user mode (KVM, vmx_uret_msrs_list).
 */
function expectEntry(
  kernel: Kernel,
  running: readonly { readonly cpu: CpuState; readonly number: number }[],
): void {
  const entry = kernel.symbol('entry_SYSCALL_64');
  const asked = running.filter(
    ({ cpu }) => cpu.lstar !== undefined && (cpu.cr4 & flexibleReturnBit) === 0n,
  );
  const wrong = asked.filter(({ cpu }) => cpu.lstar !== entry);
  const first = wrong.find(({ cpu }) => cpu.privilege !== 0) ?? wrong.at(0);
  if (first !== undefined && (first.cpu.privilege !== 0 || wrong.length === asked.length)) {
    throw new Inconsistency(
      `CPU ${first.number} enters the kernel at 0x${(first.cpu.lstar ?? 0n).toString(16)}, ` +
        'which is not where this kernel is entered',
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
  }
  expectMappedKept(kernel, roots, labels);
}

function expectMappedKept(kernel: Kernel, roots: readonly Gpa[], labels: Uint8Array): void {
  const { physical, pagingLevels } = kernel;
  noteTables(kernel, roots, lowerHalf);
  const areAllThere = visitMappedPages(
    physical,
    roots,
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
    throw new Inconsistency('a page table of a process is not in RAM');
  }
}
