// The shape of a body's MessagePack value. Columns are differences to what was to be expected (steps.ts), so that they deflate
// to little.
import { z } from 'zod';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { boundedArray } from '../../flow/bounded.js';
import { diskHeldSchema, healingSchema, notStoredSchema } from '../healing-record.js';
import { maxPackCount } from '../layout.js';
import { binSchema, countSchema, regionsSchema, segmentSchema } from '../schema.js';
import { diskSchema } from '../space/disk-record.js';

const placesSchema = z.object({
  window: binSchema,
  maskLow: binSchema,
  maskHigh: binSchema,
  frame: binSchema,
  slot: binSchema,
});

const common = {
  name: segmentSchema,
  placeCount: countSchema,
  places: placesSchema,
};

const wholeSchema = z.object({
  is: z.literal('whole'),
  ...common,
  pageSizeBytes: z.literal(pageSizeBytes),
  regions: regionsSchema,
  labelRunCount: countSchema,
  labelRuns: z.object({ label: binSchema, pageCount: binSchema }),
  /** Set for a disk. */
  disk: diskSchema.optional(),
  healing: healingSchema.optional(),
  diskHeld: diskHeldSchema.optional(),
  notStored: notStoredSchema.optional(),
});

const changedSchema = z.object({
  is: z.literal('changed'),
  ...common,
  changedRunCount: countSchema,
  changedRuns: z.object({ firstPage: binSchema, pageCount: binSchema, label: binSchema }),
  healing: healingSchema.nullish(),
  notStored: notStoredSchema.nullish(),
  diskHeld: diskHeldSchema.nullish(),
  droppedCount: countSchema.optional(),
  dropped: binSchema.optional(),
});

export const bodySchema = z.object({
  packs: boundedArray(
    z.object({
      writer: segmentSchema,
      packCount: z.int().min(1).max(maxPackCount),
      number: binSchema,
    }),
    maxPackCount,
  ),
  frameCount: countSchema,
  frames: z.object({
    pack: binSchema,
    offset: binSchema,
    length: binSchema,
    identity: binSchema,
    pageCount: binSchema,
  }),
  spaces: boundedArray(z.discriminatedUnion('is', [wholeSchema, changedSchema]), 256),
});

export type BodyRecord = z.infer<typeof bodySchema>;
export type WholeRecord = z.infer<typeof wholeSchema>;
export type ChangedRecord = z.infer<typeof changedSchema>;
