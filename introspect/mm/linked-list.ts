// Walks the kernel's circular lists through struct pages (struct list_head, include/linux/list.h). Every link is held
// against its back-pointer and the length against a limit, so a damaged list ends, and is noticed.
import { Inconsistency } from '../inconsistency.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Pfn } from '../memory/physical-memory.js';
import type { MemmapLookup } from './memmap.js';

export const listHeadBytes = 16;

export interface PageList {
  /** For messages. */
  readonly name: string;
  /** Kernel virtual address of the list's head. */
  readonly head: bigint;
  /** Where the link stands in struct page. */
  readonly linkOffsetBytes: number;
  /** More entries than this are a loop. */
  readonly entryLimit: number;
}

/** The frames on the list, in order. Throws Inconsistency at the first link that does not hold. */
export function* framesOnList(
  kernel: Kernel,
  lookup: MemmapLookup,
  { name, head, linkOffsetBytes, entryLimit }: PageList,
): Generator<Pfn> {
  const ends = kernel.memory.bytes(head, listHeadBytes);
  if (ends === undefined) {
    throw new Inconsistency(`${name} is not mapped`);
  }
  const link = Buffer.alloc(listHeadBytes);
  let previous = head;
  let next = ends.readBigUInt64LE(0);
  for (let count = 0; next !== head; count++) {
    if (count >= entryLimit) {
      throw new Inconsistency(`${name} holds more than the ${entryLimit} entries it may`);
    }
    const pfn = lookup.pfnOf(next, linkOffsetBytes);
    if (pfn === undefined || !lookup.read(pfn, linkOffsetBytes, link)) {
      throw new Inconsistency(`${name} leads to 0x${next.toString(16)}, which is no page`);
    }
    if (link.readBigUInt64LE(8) !== previous) {
      throw new Inconsistency(`${name}: frame ${pfn} does not point back to the one before it`);
    }
    yield pfn;
    previous = next;
    next = link.readBigUInt64LE(0);
  }
  if (ends.readBigUInt64LE(8) !== previous) {
    throw new Inconsistency(`${name} ends elsewhere than it says`);
  }
}
