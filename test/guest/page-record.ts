// The kernel's own account of its page frames at one moment: what each is, and how often it is mapped.

import { readFileSync } from 'node:fs';
import type { GuestSnapshot } from './guest-snapshot.js';
import { Kpageflags } from './kpageflags.js';

export interface PageRecord {
  readonly flags: Kpageflags;
  /** /proc/kpagecount: mappings by page frame number. Of a large folio perhaps the average, but 0 only if it has none. */
  readonly mapCounts: Float64Array;
}

/** The one that the guest wrote right before the stop. */
export function recordBeforeStop(snapshot: GuestSnapshot): PageRecord {
  return pageRecordFromBytes(
    readFileSync(snapshot.kpageflagsPath),
    readFileSync(snapshot.kpagecountPath),
  );
}

export function pageRecordFromBytes(kpageflags: Buffer, kpagecount: Buffer): PageRecord {
  const mapCounts = new Float64Array(kpagecount.length / 8);
  for (let pfn = 0; pfn < mapCounts.length; pfn++) {
    mapCounts[pfn] =
      kpagecount.readUInt32LE(pfn * 8) + kpagecount.readUInt32LE(pfn * 8 + 4) * 2 ** 32;
  }
  return { flags: Kpageflags.fromBytes(kpageflags), mapCounts };
}
