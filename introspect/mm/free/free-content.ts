// What the kernel expects to find in a free page when it hands it out again (mm/page_alloc.c, post_alloc_hook;
// mm/page_poison.c).
//
// Mostly nothing, and zeroes serve: with init_on_free=1 they are even demanded. Only page poisoning (page_poison=1,
// CONFIG_PAGE_POISONING) wants its own pattern and complains about any other.
import type { Kernel } from '../../kernel/kernel.js';
import { pageSizeBytes } from '../../memory/physical-memory.js';
import { labelNumbers } from '../../page-class.js';

/** PAGE_POISON, include/linux/poison.h; 0 with CONFIG_PAGE_POISONING_ZERO, to 5.10. */
const poisonByte = 0xaa;
const zeroByte = 0;
const sampleCount = 64;

export type FreeContent =
  /** Fill a lost free page with this byte. */
  | { readonly byte: number; readonly doubt?: undefined }
  | { readonly byte?: undefined; readonly doubt: string };

/**
 * The kernel's own switch decides. Where symbols of data are not kept, or the switch is on, the free pages themselves
 * are asked: a kernel that poisons leaves the pattern in all that it has freed.
 */
export function freeContent(kernel: Kernel, labels: Uint8Array): FreeContent {
  const poisoning = isPoisoning(kernel);
  if (poisoning === false) {
    return { byte: zeroByte };
  }
  const { sampled, poisoned, zero } = sampleFreePages(kernel, labels);
  if (poisoning === true) {
    return poisoned > 0 || sampled === 0
      ? { byte: poisonByte }
      : zero === sampled
        ? { byte: zeroByte }
        : { doubt: 'free pages, as page poisoning is on and none of them holds its pattern' };
  }
  if (poisoned === 0) {
    return { byte: zeroByte };
  }
  return poisoned === sampled
    ? { byte: poisonByte }
    : { doubt: 'free pages, as it cannot be seen whether page poisoning is on' };
}

/** Undefined where kallsyms names no data, so that a missing symbol says nothing. */
function isPoisoning(kernel: Kernel): boolean | undefined {
  // A static key since 5.11 and by that name, before that under the other one; off is 0 in its first byte.
  const key = kernel.symbol('_page_poisoning_enabled') ?? kernel.symbol('want_page_poisoning');
  if (key === undefined) {
    return kernel.symbol('__cpu_possible_mask') === undefined ? undefined : false;
  }
  const value = kernel.memory.bytes(key, 1);
  return value === undefined ? undefined : value[0] !== 0;
}

function sampleFreePages(kernel: Kernel, labels: Uint8Array) {
  const { free } = labelNumbers;
  const step = Math.max(1, Math.floor(labels.length / sampleCount));
  const page = Buffer.alloc(pageSizeBytes);
  let sampled = 0;
  let poisoned = 0;
  let zero = 0;
  for (let start = 0; start < labels.length; start += step) {
    const found = labels.subarray(start, start + step).indexOf(free);
    if (found < 0) {
      continue;
    }
    kernel.physical.readImage((start + found) * pageSizeBytes, page);
    sampled++;
    if (page.every((byte) => byte === poisonByte)) {
      poisoned++;
    }
    if (page.every((byte) => byte === zeroByte)) {
      zero++;
    }
  }
  return { sampled, poisoned, zero };
}
