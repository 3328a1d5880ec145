// The shape of the two MessagePack values. Unknown keys are dropped: a writer that needs a reader to know a key says so in
// requiredFeatures. How the values hang together is check.ts's matter.
import { z } from 'zod';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { boundedArray } from '../flow/bounded.js';
import { maxPackSizeBytes, maxReplication, packHeaderSizeBytes } from '../pack/layout.js';
import { diskSchema } from './disk-record.js';
import { healingKeys } from './healing-record.js';
import { vmNameForm, vmNameProblem } from './vm-name.js';
import {
  hashSizeBytes,
  maxEvidenceLength,
  maxGuestTextLength,
  maxPackCount,
  maxPageCount,
  maxRegionCount,
} from './layout.js';

const segmentPattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/;

function isStoreName(name: string): boolean {
  return name.length <= 1024 && name.split('/').every((segment) => segmentPattern.test(segment));
}

const segment = z.string().regex(segmentPattern, 'expected a name of A-Z a-z 0-9 . _ - only');
const storeName = z
  .string()
  .refine(isStoreName, 'expected a store name: segments of A-Z a-z 0-9 . _ - joined by /');
const size = z.int().min(0);
const bin = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');

const features = boundedArray(z.string().max(64), 64);
/** Printable ASCII: it is shown as it is. */
const identityPart = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 printable characters without spaces')
  .optional();
const identitySchema = z
  .object({ uuid: identityPart, id: identityPart, host: identityPart })
  .refine(
    (identity) => Object.values(identity).some((part) => part !== undefined),
    'expected a uuid, an id or a host',
  );

/** Read before all else, because an unknown feature may change the shape of the rest. */
export const featuresSchema = z.object({ requiredFeatures: features });

export const headerSchema = z.object({
  id: segment,
  vm: z.string().refine((name) => vmNameProblem(name) === undefined, `expected ${vmNameForm}`),
  // Whether a calendar has it is asked by src/catalog/check-header.ts.
  createdMs: size,
  requiredFeatures: features,
  packs: boundedArray(
    z.object({
      name: storeName,
      sizeBytes: z.int().min(packHeaderSizeBytes).max(maxPackSizeBytes),
      replication: z.int().min(1).max(maxReplication),
    }),
    maxPackCount,
  ),
  attachments: boundedArray(
    z.object({
      role: segment,
      name: storeName,
      sizeBytes: size,
      sha256: bin.refine((hash) => hash.length === hashSizeBytes, 'expected 32 bytes'),
    }),
    64,
  ),
  guest: z
    .object({
      release: z.string().max(maxGuestTextLength),
      buildId: z.string().max(maxGuestTextLength),
    })
    .nullable(),
  evidence: z.string().max(maxEvidenceLength),
  // No map has more than 1024 keys (structure.ts).
  labelCounts: z.record(z.string().max(64), size),
  legend: boundedArray(z.string().max(64), 256),
  imageSizeBytes: size,
  identity: identitySchema.optional(),
});

const count = z.int().min(0).max(maxPageCount);

export const bodySchema = z.object({
  spaces: boundedArray(
    z.object({
      name: segment,
      pageSizeBytes: z.literal(pageSizeBytes),
      regions: boundedArray(z.object({ start: size, sizeBytes: size }), maxRegionCount),
      labelRunCount: count,
      labelRuns: z.object({ label: bin, pageCount: bin }),
      frameCount: count,
      frames: z.object({
        window: bin,
        maskLow: bin,
        maskHigh: bin,
        offset: bin,
        length: bin,
        pack: bin,
      }),
      pageHashes: bin.nullable(),
      ...healingKeys,
      disk: diskSchema.optional(),
    }),
    256,
  ).refine((spaces) => spaces.length > 0, 'expected one space or more'),
});

/** A space as it stands in the file. */
export type SpaceRecord = z.infer<typeof bodySchema>['spaces'][number];

/** The first thing wrong, with its path. */
export function describeProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue.path.join('.')}: ${issue.message}`;
}
