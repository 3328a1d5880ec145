// What the guest's kernel says of each page, as far as it says the same twice: right before the stop, and as the first
// act of a copy that was resumed. What changed in between says nothing of the moment of the snapshot. How lately a page
// was used is left out of both: that changes all the time, and says nothing of what the page is.
//
// A block of pages (a compound page, a folio) is one thing with one state, but kernels tell it in different ways: up to
// 6.6 a tail shows flags of its own, later ones those of the whole block. Here a tail has its own and its head's, and a
// block of which any page is mapped is mapped in all of them.
import { KPF, type KpfName } from '../guest/kpageflags.js';
import type { PageRecord } from '../guest/page-record.js';

/** Bits by page frame number. */
export interface PageStates {
  readonly pfnCount: number;
  /** Flags 0 to 31 and 32 to 63. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  /** 1 where the page or its block is mapped by any process, by the flags or the count. */
  readonly mapped: Uint8Array;
}

export function pageStates({ flags, mapCounts }: PageRecord): PageStates {
  const { pfnCount } = flags;
  if (mapCounts.length !== pfnCount) {
    throw new Error(`expected ${pfnCount} entries in kpagecount, found ${mapCounts.length}`);
  }
  const low = flags.lowWords();
  const high = flags.highWords();
  const kept = ~(bit('referenced') | bit('active') | bit('idle'));
  const mapped = new Uint8Array(pfnCount);
  for (let first = 0; first < pfnCount;) {
    const end = blockEnd(low, first);
    let isMapped = 0;
    for (let pfn = first; pfn < end; pfn++) {
      if (mapCounts[pfn] > 0 || (low[pfn] & bit('mmap')) !== 0) {
        isMapped = 1;
      }
    }
    mapped.fill(isMapped, first, end);
    low[first] &= kept;
    const headLow = low[first] & ~bit('compoundHead');
    for (let pfn = first + 1; pfn < end; pfn++) {
      low[pfn] = (low[pfn] & kept) | headLow;
      high[pfn] |= high[first];
    }
    first = end;
  }
  dropKsmThatSaysNothing(low);
  return { pfnCount, low, high, mapped };
}

/**
 * 6.12 to 6.18 show every anonymous page as merged: they test the two bits of PAGE_MAPPING_KSM, of which one is that of
 * all anonymous pages, for any instead of for both (fs/proc/page.c, stable_page_flags).
 */
function dropKsmThatSaysNothing(low: Uint32Array): void {
  const both = bit('anon') | bit('ksm');
  if (low.some((flags) => (flags & both) === bit('anon'))) {
    return;
  }
  low.forEach((flags, pfn) => {
    low[pfn] = flags & ~bit('ksm');
  });
}

function blockEnd(low: Uint32Array, first: number): number {
  let end = first + 1;
  if ((low[first] & bit('compoundHead')) !== 0) {
    while (end < low.length && (low[end] & bit('compoundTail')) !== 0) {
      end++;
    }
  }
  return end;
}

/** 1 where both readings agree. */
export function agreement(before: PageStates, after: PageStates): Uint8Array {
  if (before.pfnCount !== after.pfnCount) {
    throw new Error(`readings of ${before.pfnCount} and of ${after.pfnCount} page frames`);
  }
  return Uint8Array.from(before.low, (low, pfn) =>
    low === after.low[pfn] &&
    before.high[pfn] === after.high[pfn] &&
    before.mapped[pfn] === after.mapped[pfn]
      ? 1
      : 0,
  );
}

/** Whether the page has any of the flags. */
export type FlagTest = (states: PageStates, pfn: number) => boolean;

export function anyOf(...names: KpfName[]): FlagTest {
  let low = 0;
  let high = 0;
  for (const name of names) {
    if (KPF[name] < 32) {
      low |= bit(name);
    } else {
      high |= 1 << (KPF[name] - 32);
    }
  }
  return (states, pfn) => (states.low[pfn] & low) !== 0 || (states.high[pfn] & high) !== 0;
}

/** The bit of a flag in the low word. */
function bit(name: KpfName): number {
  return 1 << KPF[name];
}
