// What healing needs, as it stands in the file: facts about the guest's kernel, and where disks hold pages. Three keys
// of a space, each absent where there is nothing to say.
import { z } from 'zod';
import { type DiskHeldPages, heldHashBytes } from '../../introspect/disk-held.js';
import type { HealingFacts } from '../../introspect/heal/healing-facts.js';
import { boundedArray } from '../flow/bounded.js';
import { maxPageCount } from './layout.js';
import {
  bytesOfColumn,
  bytesOfWideColumn,
  columnOfBytes,
  wideColumnOfBytes,
} from './space/columns.js';
import type { SizedColumn } from './space/space-columns.js';

const bin = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
const byte = z.int().min(0).max(255);
const u32 = z.int().min(0).max(0xffff_ffff);
const count = z.int().min(0).max(maxPageCount);
/** The struct pages of 1 TiB, each page of them by itself: more runs there cannot be, and each takes memory. */
const maxMemmapRunCount = 2 ** 22;
/** A struct page is read whole, so what the file says of its size must be bounded. */
const structPageSize = z.int().min(16).max(256).multipleOf(8);
const memberOffset = z.int().min(0).max(248).multipleOf(8);

export const healingSchema = z.object({
  freeByte: byte,
  structPage: z.object({
    sizeBytes: structPageSize,
    flagsOffset: memberOffset,
    headOffset: memberOffset,
    tailsHoldMask: z.boolean(),
    uptodateMask: u32.refine((mask) => mask !== 0 && (mask & (mask - 1)) === 0, 'expected one bit'),
    busyMask: u32,
  }),
  memmapBase: bin,
  memmapRunCount: z.int().min(0).max(maxMemmapRunCount),
  memmapRuns: z.object({ firstPfn: bin, pageCount: bin, gpa: bin }),
});

export const diskHeldSchema = z.object({
  disks: boundedArray(
    z.object({ name: z.string().min(1).max(64), sizeBytes: z.int().min(0) }),
    256,
  ).refine((disks) => disks.length > 0, 'expected one disk or more'),
  pageCount: count,
  page: bin,
  disk: bin,
  offset: bin,
  hash: bin,
});

export const notStoredSchema = boundedArray(byte, 256).refine(
  (labels) => labels.length > 0,
  'expected one label or more',
);

/** The keys that version 1 has in the record of a space. */
export const healingKeys = {
  healing: healingSchema.optional(),
  diskHeld: diskHeldSchema.optional(),
  notStored: notStoredSchema.optional(),
};

type HealingRecord = z.infer<typeof healingSchema>;
type DiskHeldRecord = z.infer<typeof diskHeldSchema>;

export function healingRecord(facts: HealingFacts): HealingRecord {
  const { structPage, memmapRuns } = facts;
  const base = Buffer.alloc(8);
  base.writeBigUInt64LE(facts.memmapBase);
  return {
    freeByte: facts.freeByte,
    structPage: {
      sizeBytes: structPage.sizeBytes,
      flagsOffset: structPage.flagsOffset,
      headOffset: structPage.headOffset,
      tailsHoldMask: structPage.tailsHoldMask,
      uptodateMask: structPage.uptodateMask,
      busyMask: structPage.busyMask,
    },
    memmapBase: base,
    memmapRunCount: memmapRuns.length,
    memmapRuns: {
      firstPfn: bytesOfWideColumn(memmapRuns.map(({ firstPfn }) => firstPfn)),
      pageCount: bytesOfColumn(Uint32Array.from(memmapRuns, ({ pageCount }) => pageCount)),
      gpa: bytesOfWideColumn(memmapRuns.map(({ gpa }) => gpa)),
    },
  };
}

export function healingOf(record: HealingRecord, sized: SizedColumn): HealingFacts {
  const { memmapRunCount: runCount, memmapRuns: runs } = record;
  const firstPfn = wideColumnOfBytes(
    sized(runs.firstPfn, 'healing.memmapRuns.firstPfn', runCount * 8),
  );
  const pageCount = columnOfBytes(
    sized(runs.pageCount, 'healing.memmapRuns.pageCount', runCount * 4),
  );
  const gpa = wideColumnOfBytes(sized(runs.gpa, 'healing.memmapRuns.gpa', runCount * 8));
  const base = Buffer.from(sized(record.memmapBase, 'healing.memmapBase', 8));
  return {
    freeByte: record.freeByte,
    structPage: record.structPage,
    memmapBase: base.readBigUInt64LE(0),
    memmapRuns: Array.from(firstPfn, (first, run) => ({
      firstPfn: first,
      pageCount: pageCount[run],
      gpa: gpa[run],
    })),
  };
}

export function diskHeldRecord({ disks, page, disk, offsetBytes, hash }: DiskHeldPages) {
  return {
    disks: disks.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    pageCount: page.length,
    page: bytesOfColumn(page),
    disk,
    offset: bytesOfWideColumn(offsetBytes),
    hash,
  } satisfies DiskHeldRecord;
}

export function diskHeldOf(record: DiskHeldRecord, sized: SizedColumn): DiskHeldPages {
  const { pageCount } = record;
  return {
    disks: record.disks,
    page: columnOfBytes(sized(record.page, 'diskHeld.page', pageCount * 4)),
    disk: sized(record.disk, 'diskHeld.disk', pageCount),
    offsetBytes: wideColumnOfBytes(sized(record.offset, 'diskHeld.offset', pageCount * 8)),
    hash: sized(record.hash, 'diskHeld.hash', pageCount * heldHashBytes),
  };
}
