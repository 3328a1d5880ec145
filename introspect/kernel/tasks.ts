// Tasks: every thread's kernel stack and every process's page tables (struct task_struct, include/linux/sched.h).
//
// Used to name pages that are critical anyway, and to hold labels against processes: no page table of theirs is given up, nor,
// where no CPU was seen, what they have mapped. Nothing becomes expendable by it. So a list that does not add up ends the walk
// and no more, and what is read here is no evidence.
import type { Gpa, Pfn } from '../memory/physical-memory.js';
import { pageSizeBytes } from '../memory/physical-memory.js';
import type { Kernel } from './kernel.js';

/** THREAD_SIZE on x86-64, for kernels without CONFIG_VMAP_STACK. */
const stackPageCount = 4;

/** More tasks than their stacks have room for in this RAM, or than there are numbers for (PID_MAX_LIMIT), are none. */
const largestTaskCount = 2 ** 20;
const tasksBesides = 1024;

export interface TaskMemory {
  readonly stackPfns: readonly Pfn[];
  /** Top-level page tables of processes. */
  readonly pageTableRoots: readonly Gpa[];
}

export function readTaskMemory(kernel: Kernel): TaskMemory {
  const stackPfns: Pfn[] = [];
  const roots = new Set<Gpa>();
  const layout = taskLayout(kernel);
  const first = kernel.symbol('init_task');
  if (layout === undefined || first === undefined) {
    return { stackPfns, pageTableRoots: [] };
  }
  const memory = kernel.memory.unrecorded;
  const pointer = (address: bigint, offset: number): bigint =>
    memory.u64(address + BigInt(offset)) ?? 0n;
  const seenSpaces = new Set<bigint>();
  // A thread is of one process: lists that run into one another, as damaged ones may, are not gone through again.
  const seenThreads = new Set<bigint>();
  const pageCount = kernel.physical.sizeBytes / pageSizeBytes;
  let left = Math.min(largestTaskCount, Math.floor(pageCount / stackPageCount) + tasksBesides);
  for (const process of listMembers(kernel, first + BigInt(layout.tasks), layout.tasks)) {
    if (--left < 0) {
      break;
    }
    const space = pointer(process, layout.mm);
    if (space !== 0n && !seenSpaces.has(space)) {
      seenSpaces.add(space);
      const root = memory.translate(pointer(space, layout.pageTables));
      if (root !== undefined) {
        roots.add(root);
      }
    }
    const threads = pointer(process, layout.signal) + BigInt(layout.threadHead);
    for (const thread of listMembers(kernel, threads, layout.threadNode, seenThreads)) {
      if (--left < 0) {
        break;
      }
      const stack = pointer(thread, layout.stack);
      for (let page = 0; page < stackPageCount; page++) {
        const gpa = memory.translate(stack + BigInt(page * pageSizeBytes));
        if (gpa !== undefined) {
          stackPfns.push(Math.floor(gpa / pageSizeBytes));
        }
      }
    }
  }
  return { stackPfns, pageTableRoots: [...roots] };
}

/**
 * The structures on a circular list: `head` is the address of a list_head, `linkOffset` where the link lies in each.
 * The list of all tasks has init_task itself as its head, so that one is given too. A link in `seen` ends the list.
 */
function* listMembers(
  kernel: Kernel,
  head: bigint,
  linkOffset: number,
  seen = new Set<bigint>(),
): Generator<bigint> {
  const isTaskList = head - BigInt(linkOffset) === kernel.symbol('init_task');
  if (isTaskList) {
    yield head - BigInt(linkOffset);
  }
  const memory = kernel.memory.unrecorded;
  let link = memory.u64(head);
  // A damaged list may run into a loop that its head is not part of.
  while (link !== undefined && link !== 0n && link !== head && !seen.has(link)) {
    seen.add(link);
    yield link - BigInt(linkOffset);
    link = memory.u64(link);
  }
}

function taskLayout(kernel: Kernel) {
  const offset = (struct: string, member: string): number | undefined =>
    kernel.btf.struct(struct)?.member(member)?.offsetBytes;
  const layout = {
    tasks: offset('task_struct', 'tasks'),
    mm: offset('task_struct', 'mm'),
    signal: offset('task_struct', 'signal'),
    stack: offset('task_struct', 'stack'),
    threadNode: offset('task_struct', 'thread_node'),
    threadHead: offset('signal_struct', 'thread_head'),
    pageTables: offset('mm_struct', 'pgd'),
  };
  return Object.values(layout).every((value) => value !== undefined)
    ? (layout as Record<keyof typeof layout, number>)
    : undefined;
}
