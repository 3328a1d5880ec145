// The shape of the two MessagePack values of a version 1 manifest.
import { z } from 'zod';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { boundedArray } from '../../flow/bounded.js';
import { healingKeys } from '../healing-record.js';
import { maxPackCount } from '../layout.js';
import {
  binSchema,
  countSchema,
  evidenceSchema,
  guestSchema,
  headerBasis,
  labelCountsSchema,
  legendSchema,
  packSchema,
  regionsSchema,
  segmentSchema,
} from '../schema.js';
import { diskSchema } from '../space/disk-record.js';

export const headerV1Schema = z.object({
  ...headerBasis,
  packs: boundedArray(packSchema, maxPackCount),
  guest: guestSchema,
  evidence: evidenceSchema,
  labelCounts: labelCountsSchema,
  legend: legendSchema,
});

export const bodyV1Schema = z.object({
  spaces: boundedArray(
    z.object({
      name: segmentSchema,
      pageSizeBytes: z.literal(pageSizeBytes),
      regions: regionsSchema,
      labelRunCount: countSchema,
      labelRuns: z.object({ label: binSchema, pageCount: binSchema }),
      frameCount: countSchema,
      frames: z.object({
        window: binSchema,
        maskLow: binSchema,
        maskHigh: binSchema,
        offset: binSchema,
        length: binSchema,
        pack: binSchema,
      }),
      pageHashes: binSchema.nullable(),
      ...healingKeys,
      disk: diskSchema.optional(),
    }),
    256,
  ).refine((spaces) => spaces.length > 0, 'expected one space or more'),
});

/** A space as it stands in the file. */
export type SpaceV1Record = z.infer<typeof bodyV1Schema>['spaces'][number];
