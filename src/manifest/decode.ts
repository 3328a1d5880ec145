// Bytes to a manifest. In this order, so each step stands on checked ground: magic, version, flags, sizes against their
// limits, CRC of the header (all that `list` needs), then the whole file's SHA-256, the columns' sizes, and what must hold
// between them. Anything wrong is an error and never half a manifest.
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import type { z } from 'zod';
import { ParsError } from '../../introspect/pars-error.js';
import { findProblem } from './check.js';
import { unpackValue } from './codec.js';
import { columnOfBytes } from './columns.js';
import { diskHeldOf, healingOf } from './healing-record.js';
import {
  bodyStructure,
  hashSizeBytes,
  headerStructure,
  headField,
  headSizeBytes,
  knownFeatures,
  manifestMagic,
  manifestVersion,
  maxBodySizeBytes,
  maxHeaderSizeBytes,
} from './layout.js';
import {
  bodySchema,
  describeProblem,
  featuresSchema,
  headerSchema,
  type SpaceRecord,
} from './schema.js';
import type { StructureLimits } from './structure.js';
import type { AddressSpace, LabelRuns, Manifest, ManifestHeader } from './types.js';

export type HeaderResult =
  | {
      readonly kind: 'complete';
      readonly header: ManifestHeader;
      /** What the whole file must have. */
      readonly fileSizeBytes: number;
    }
  /** More of the file is needed. If the file has no more, it is truncated. */
  | { readonly kind: 'incomplete'; readonly neededBytes: number };

interface Head {
  readonly headerSizeBytes: number;
  readonly bodySizeBytes: number;
  readonly crc: number;
}

function corrupt(atBytes: number, problem: string): ParsError {
  return new ParsError('corrupt', `manifest at byte ${atBytes}: ${problem}`);
}

/**
 * Reads the header from the first bytes of a manifest; says how many are needed if they do not suffice. Throws
 * `unsupported` for a version, flag or feature not known here, and `corrupt` for anything else.
 */
export function decodeManifestHeader(bytes: Uint8Array): HeaderResult {
  if (bytes.length < headSizeBytes) return { kind: 'incomplete', neededBytes: headSizeBytes };
  const head = decodeHead(bytes);
  const headerEnd = headSizeBytes + head.headerSizeBytes;
  if (bytes.length < headerEnd) return { kind: 'incomplete', neededBytes: headerEnd };
  const packed = bytes.subarray(headSizeBytes, headerEnd);
  const computed = crc32c(packed, crc32c(bytes.subarray(0, headField.crc)));
  if (computed !== head.crc) {
    throw corrupt(
      headField.crc,
      `the CRC32C of head and header is ${head.crc}, their bytes give ${computed}`,
    );
  }
  return {
    kind: 'complete',
    header: decodeHeader(packed),
    fileSizeBytes: headerEnd + head.bodySizeBytes + hashSizeBytes,
  };
}

/** Reads a whole manifest. Label and hash columns are views of `bytes`. Throws as `decodeManifestHeader` does. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const result = decodeManifestHeader(bytes);
  const expectedBytes = result.kind === 'complete' ? result.fileSizeBytes : result.neededBytes;
  if (result.kind === 'incomplete' || bytes.length !== expectedBytes) {
    const expected =
      result.kind === 'complete' ? String(expectedBytes) : `at least ${expectedBytes}`;
    throw corrupt(bytes.length, `the file ends here, expected ${expected} bytes`);
  }
  const hashAt = bytes.length - hashSizeBytes;
  const hash = createHash('sha256').update(bytes.subarray(0, hashAt)).digest();
  if (!hash.equals(bytes.subarray(hashAt))) {
    throw corrupt(hashAt, 'the SHA-256 is not that of the bytes before it');
  }
  const bodyAt = headSizeBytes + decodeHead(bytes).headerSizeBytes;
  const packedBody = bytes.subarray(bodyAt, hashAt);
  const body = parse(bodySchema, unpack(packedBody, bodyAt, bodyStructure), bodyAt);
  const manifest: Manifest = {
    header: result.header,
    spaces: body.spaces.map((space) => spaceOf(space, bodyAt)),
  };
  const problem = findProblem(manifest);
  if (problem !== undefined) throw corrupt(bodyAt, problem);
  return manifest;
}

/** The fixed head. The CRC has not been checked yet, so only limits are. */
function decodeHead(bytes: Uint8Array): Head {
  if (manifestMagic.some((byte, index) => bytes[index] !== byte)) {
    throw corrupt(headField.magic, 'the first 8 bytes are not PARSMANI; this is no manifest');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headSizeBytes);
  const version = view.getUint16(headField.version, true);
  if (version !== manifestVersion) {
    throw new ParsError(
      'unsupported',
      `manifest version ${version}, this program reads ${manifestVersion}; ` +
        'use the program that wrote the snapshot, or a newer one',
    );
  }
  const flags = view.getUint16(headField.flags, true);
  if (flags !== 0) {
    throw new ParsError(
      'unsupported',
      `manifest flags ${flags.toString(2)} (binary), this program knows none; use a newer program`,
    );
  }
  const headerSizeBytes = view.getUint32(headField.headerSize, true);
  if (headerSizeBytes > maxHeaderSizeBytes) {
    throw corrupt(
      headField.headerSize,
      `a header of ${headerSizeBytes} bytes, at most ${maxHeaderSizeBytes} are possible`,
    );
  }
  const bodySize = view.getBigUint64(headField.bodySize, true);
  if (bodySize > BigInt(maxBodySizeBytes)) {
    throw corrupt(
      headField.bodySize,
      `a body of ${bodySize.toString()} bytes, at most ${maxBodySizeBytes} are possible`,
    );
  }
  if (bytes.subarray(headField.reserved, headField.crc).some((byte) => byte !== 0)) {
    throw corrupt(headField.reserved, 'reserved bytes are not zero');
  }
  return {
    headerSizeBytes,
    bodySizeBytes: Number(bodySize),
    crc: view.getUint32(headField.crc, true),
  };
}

function decodeHeader(packed: Uint8Array): ManifestHeader {
  const value = unpack(packed, headSizeBytes, headerStructure);
  const { requiredFeatures } = parse(featuresSchema, value, headSizeBytes);
  const unknown = requiredFeatures.filter((feature) => !knownFeatures.includes(feature));
  if (unknown.length > 0) {
    throw new ParsError(
      'unsupported',
      `the manifest requires ${unknown.join(', ')}, which this program does not know; use a newer program`,
    );
  }
  return parse(headerSchema, value, headSizeBytes);
}

function unpack(bytes: Uint8Array, atBytes: number, limits: StructureLimits): unknown {
  try {
    return unpackValue(bytes, limits);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(atBytes, `not MessagePack: ${reason}`);
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, atBytes: number): T {
  const result = schema.safeParse(value);
  if (!result.success) throw corrupt(atBytes, describeProblem(result.error));
  return result.data;
}

function spaceOf(record: SpaceRecord, atBytes: number): AddressSpace {
  const { name, labelRuns, labelRunCount, frames, frameCount } = record;
  const sized = (column: Uint8Array, field: string, sizeBytes: number) => {
    if (column.length !== sizeBytes) {
      throw corrupt(
        atBytes,
        `space ${name}: ${field} takes ${column.length} bytes, expected ${sizeBytes}`,
      );
    }
    return column;
  };
  const frameColumn = (field: keyof typeof frames) =>
    columnOfBytes(sized(frames[field], `frames.${field}`, frameCount * 4));
  const pageCount = columnOfBytes(
    sized(labelRuns.pageCount, 'labelRuns.pageCount', labelRunCount * 4),
  );
  return {
    name,
    pageSizeBytes: record.pageSizeBytes,
    regions: record.regions,
    labelRuns: {
      label: sized(labelRuns.label, 'labelRuns.label', labelRunCount),
      firstPage: firstPages(pageCount),
      pageCount,
    } satisfies LabelRuns,
    frames: {
      window: frameColumn('window'),
      maskLow: frameColumn('maskLow'),
      maskHigh: frameColumn('maskHigh'),
      offset: frameColumn('offset'),
      length: frameColumn('length'),
      pack: frameColumn('pack'),
    },
    pageHashes: record.pageHashes,
    healing: record.healing === undefined ? undefined : healingOf(record.healing, sized),
    diskHeld: record.diskHeld === undefined ? undefined : diskHeldOf(record.diskHeld, sized),
    notStored: record.notStored,
    disk: record.disk,
  };
}

/** Running sums. One that does not fit 32 bits wraps here and is found by the check that runs cover the space exactly. */
function firstPages(pageCount: Uint32Array): Uint32Array {
  const first = new Uint32Array(pageCount.length);
  for (let run = 1; run < first.length; run++) first[run] = first[run - 1] + pageCount[run - 1];
  return first;
}
