// Frame numbers as people give them: decimal, or hex with 0x.
import {
  type MemoryRegion,
  pageIndexOf,
  pageSizeBytes,
  type Pfn,
} from '../../../introspect/memory/physical-memory.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { formatHex } from '../shared/format.js';

/** An image may have hundreds of regions, and a message is a sentence. */
const namedRangeLimit = 8;

export function parsePfn(text: string): Pfn {
  const value = /^(0[xX][0-9a-fA-F]{1,13}|\d{1,16})$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(text)} is no page frame number: expected digits, or 0x and hex digits ` +
        `(a guest-physical address divided by ${pageSizeBytes})`,
    );
  }
  return value;
}

/** Throws `usage` for a frame that the image does not hold. */
export function expectInImage(pfn: Pfn, regions: readonly MemoryRegion[]): void {
  if (pageIndexOf(regions, pfn) === undefined) {
    const ranges = regions.slice(0, namedRangeLimit).map(({ gpaStart, sizeBytes }) => {
      const first = gpaStart / pageSizeBytes;
      const last = first + sizeBytes / pageSizeBytes - 1;
      return `${first}-${last} (${formatHex(first)}-${formatHex(last)})`;
    });
    if (regions.length > namedRangeLimit) {
      ranges.push(`${regions.length - namedRangeLimit} ranges more`);
    }
    throw new ParsError(
      'usage',
      `the image holds no frame ${pfn} (${formatHex(pfn)}): expected one of ${ranges.join(', ')}`,
    );
  }
}
