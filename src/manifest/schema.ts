// The shape of a manifest's MessagePack values. Unknown keys are dropped: a writer that needs a reader to know a key says so in
// requiredFeatures. How the values hang together is check.ts's matter. Shapes of version 1: v1/schema.ts.
import { z } from 'zod';
import { boundedArray } from '../flow/bounded.js';
import { maxPackSizeBytes, maxReplication, packHeaderSizeBytes } from '../pack/layout.js';
import { ecPolicyName, parseErasureCode } from '../store/redundancy.js';
import {
  hashSizeBytes,
  maxBodyCount,
  maxEvidenceLength,
  maxGuestTextLength,
  maxHashFileCount,
  maxPackCount,
  maxPageCount,
  maxRegionCount,
} from './layout.js';
import { vmNameForm, vmNameProblem } from './vm-name.js';

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

/** In the one form in which it is written. */
function isPolicyName(text: string): boolean {
  const code = parseErasureCode(text);
  return code !== undefined && ecPolicyName(code) === text;
}

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

export const sha256Schema = bin.refine(
  (hash) => hash.length === hashSizeBytes,
  'expected 32 bytes',
);

const hashedFile = z.object({ name: storeName, sizeBytes: size, sha256: sha256Schema });

export const attachmentsSchema = boundedArray(
  z.object({ role: segment, name: storeName, sizeBytes: size, sha256: sha256Schema }),
  64,
);
export const guestSchema = z
  .object({
    release: z.string().max(maxGuestTextLength),
    buildId: z.string().max(maxGuestTextLength),
  })
  .nullable();
export const evidenceSchema = z.string().max(maxEvidenceLength);
// No map has more than 1024 keys (structure.ts).
export const labelCountsSchema = z.record(z.string().max(64), size);
export const legendSchema = boundedArray(z.string().max(64), 256);

/** What a header of each version says. */
export const headerBasis = {
  id: segment,
  vm: z.string().refine((name) => vmNameProblem(name) === undefined, `expected ${vmNameForm}`),
  // Whether a calendar has it is asked by src/catalog/check-header.ts.
  createdMs: size,
  requiredFeatures: features,
  identity: identitySchema.optional(),
  imageSizeBytes: size,
  attachments: attachmentsSchema,
};

export const packSchema = z.object({
  name: storeName,
  sizeBytes: z.int().min(packHeaderSizeBytes).max(maxPackSizeBytes),
  replication: z.int().min(1).max(maxReplication),
});

/** Packs that one snapshot wrote, and that are kept alike, in columns. */
const packRunSchema = z.object({
  writer: segment,
  packCount: z.int().min(1).max(maxPackCount),
  number: bin,
  sizeBytes: bin,
  copies: z.int().min(1).max(maxReplication).optional(),
  /** In place of copies, with the feature for it. */
  code: z
    .string()
    .max(64)
    .refine((code) => isPolicyName(code), 'expected the name of an erasure coding policy')
    .optional(),
});
export type PackRun = z.infer<typeof packRunSchema>;

export const headerSchema = z.object({
  ...headerBasis,
  parent: segment.optional(),
  packs: boundedArray(packRunSchema, maxPackCount),
  bodies: boundedArray(hashedFile, maxBodyCount).refine(
    (bodies) => bodies.length > 0,
    'expected one body or more',
  ),
  pageHashes: boundedArray(hashedFile, maxHashFileCount),
});

export const detailsSchema = z.object({
  guest: guestSchema,
  evidence: evidenceSchema,
  labelCounts: labelCountsSchema,
  legend: legendSchema,
});

const count = z.int().min(0).max(maxPageCount);

export const regionsSchema = boundedArray(
  z.object({ start: size, sizeBytes: size }),
  maxRegionCount,
);

export const countSchema = count;
export const binSchema = bin;
export const segmentSchema = segment;

/** The first thing wrong, with its path. */
export function describeProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue.path.join('.')}: ${issue.message}`;
}
