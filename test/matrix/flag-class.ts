// What a page is by the kernel's own flags alone: the other side of every comparison with a label.
import { anyOf, type FlagTest, type PageStates } from './page-truth.js';

export type FlagClass =
  | 'no-page'
  | 'buddy'
  | 'slab'
  | 'huge'
  | 'reserved'
  | 'page-table'
  | 'offline'
  | 'ksm'
  | 'swap-cache'
  | 'anon'
  | 'shmem'
  | 'file-dirty'
  | 'file-kept'
  | 'file-droppable'
  /** Flags, but none of those above: a page of a file on its way to the LRU's lists, a block of the kernel's. */
  | 'other'
  /** No flag: on a CPU's free list, or in use by the kernel without a mark. */
  | 'none';

/** First match wins. */
const classes: readonly (readonly [FlagClass, FlagTest])[] = [
  ['no-page', anyOf('noPage')],
  ['buddy', anyOf('buddy')],
  // Slab pages may show the flags of anonymous ones: the fields mean other things there.
  ['slab', anyOf('slab')],
  ['huge', anyOf('huge')],
  ['reserved', anyOf('reserved')],
  ['page-table', anyOf('pageTable')],
  ['offline', anyOf('offline')],
  ['ksm', anyOf('ksm')],
  ['swap-cache', anyOf('swapcache')],
  ['anon', anyOf('anon')],
  ['shmem', anyOf('swapbacked')],
];

const isOnLru = anyOf('lru');
const isDirty = anyOf('dirty', 'locked', 'writeback');
const isUpToDate = anyOf('uptodate');
const isHeld = anyOf('private', 'privateTwo', 'unevictable', 'mlocked', 'error', 'hwpoison');

export function flagClassOf(states: PageStates, pfn: number): FlagClass {
  const found = classes.find(([, has]) => has(states, pfn));
  if (found !== undefined) {
    return found[0];
  }
  if (isOnLru(states, pfn)) {
    if (isDirty(states, pfn)) {
      return 'file-dirty';
    }
    return isUpToDate(states, pfn) && states.mapped[pfn] === 0 && !isHeld(states, pfn)
      ? 'file-droppable'
      : 'file-kept';
  }
  return states.low[pfn] === 0 && states.high[pfn] === 0 ? 'none' : 'other';
}
