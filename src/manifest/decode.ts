// Bytes to a manifest. In this order, so each step stands on checked ground: magic, version, flags, sizes against their
// limits, CRC of the header, then the whole file's SHA-256, the bodies' own, the columns' sizes, and what must hold between
// them. Anything wrong is an error and never half a manifest.
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import type { z } from 'zod';
import { ParsError } from '../../introspect/pars-error.js';
import { type CopiesOrCode, parseErasureCode } from '../store/redundancy.js';
import { decodeBody } from './body/decode.js';
import { resolveBodies } from './body/resolve.js';
import { findProblem } from './check.js';
import { unpackValue } from './codec.js';
import {
  bodyStructure,
  codedPacksFeature,
  hashSizeBytes,
  headerStructure,
  headField,
  headSizeBytes,
  knownFeatures,
  manifestMagic,
  type ManifestVersion,
  manifestVersions,
  maxBodySizeBytes,
  maxDetailsSizeBytes,
  maxHeaderSizeBytes,
  maxPackCount,
} from './layout.js';
import { packName } from './pack-name.js';
import {
  describeProblem,
  detailsSchema,
  featuresSchema,
  headerSchema,
  type PackRun,
} from './schema.js';
import { columnOfBytes } from './space/columns.js';
import type { StructureLimits } from './structure.js';
import type { Manifest, ManifestHeader, PackEntry } from './types.js';
import { decodeBodyV1 } from './v1/decode-body.js';
import { bodyV1Schema, headerV1Schema } from './v1/schema.js';

export type HeaderResult =
  | {
      readonly kind: 'complete';
      readonly version: ManifestVersion;
      readonly header: ManifestHeader;
      /** What the whole file must have. */
      readonly fileSizeBytes: number;
    }
  /** More of the file is needed. If the file has no more, it is truncated. */
  | { readonly kind: 'incomplete'; readonly neededBytes: number };

interface Head {
  readonly version: ManifestVersion;
  readonly headerSizeBytes: number;
  /** The length of the body in version 1, of the details from version 2 on. */
  readonly secondSizeBytes: number;
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
  if (bytes.length < headSizeBytes) {
    return { kind: 'incomplete', neededBytes: headSizeBytes };
  }
  const head = decodeHead(bytes);
  const { version } = head;
  const headerEnd = headSizeBytes + head.headerSizeBytes;
  const secondEnd = headerEnd + head.secondSizeBytes;
  // What `list` tells is in the header alone of version 1, and in both from then on.
  const coveredEnd = version === 1 ? headerEnd : secondEnd;
  if (bytes.length < coveredEnd) {
    return { kind: 'incomplete', neededBytes: coveredEnd };
  }
  const packed = bytes.subarray(headSizeBytes, coveredEnd);
  const computed = crc32c(packed, crc32c(bytes.subarray(0, headField.crc)));
  if (computed !== head.crc) {
    throw corrupt(
      headField.crc,
      `the CRC32C of head and header is ${head.crc}, their bytes give ${computed}`,
    );
  }
  const value = unpack(bytes.subarray(headSizeBytes, headerEnd), headSizeBytes, headerStructure);
  expectFeatures(value, version);
  return {
    kind: 'complete',
    version,
    header:
      version === 1
        ? { ...parse(headerV1Schema, value, headSizeBytes), bodies: [], pageHashes: [] }
        : headerOf(value, bytes.subarray(headerEnd, secondEnd), headerEnd),
    fileSizeBytes: secondEnd + hashSizeBytes,
  };
}

/**
 * Reads a whole manifest from its file and from the files of its bodies, in the order of the header. Label and hash columns are
 * views of what is given. Throws as `decodeManifestHeader` does.
 */
export function decodeManifest(bytes: Uint8Array, bodies: readonly Uint8Array[]): Manifest {
  const result = decodeManifestHeader(bytes);
  const expectedBytes = result.kind === 'complete' ? result.fileSizeBytes : result.neededBytes;
  if (result.kind === 'incomplete' || bytes.length !== expectedBytes) {
    const expected =
      result.kind === 'complete' ? String(expectedBytes) : `at least ${expectedBytes}`;
    throw corrupt(bytes.length, `the file ends here, expected ${expected} bytes`);
  }
  const hashAt = bytes.length - hashSizeBytes;
  const hash = sha256Of(bytes.subarray(0, hashAt));
  if (!hash.equals(bytes.subarray(hashAt))) {
    throw corrupt(hashAt, 'the SHA-256 is not that of the bytes before it');
  }
  const { header, version } = result;
  const bodyAt = headSizeBytes + decodeHead(bytes).headerSizeBytes;
  const content =
    version === 1
      ? bodyInFile(header, bytes.subarray(bodyAt, hashAt), bodyAt)
      : resolveBodies(decodedBodies(header, bodies), header.packs);
  const manifest: Manifest = { header, ...content };
  const problem = findProblem(manifest);
  if (problem !== undefined) {
    throw corrupt(bodyAt, problem);
  }
  return manifest;
}

function bodyInFile(header: ManifestHeader, packed: Uint8Array, atBytes: number) {
  const { spaces } = parse(bodyV1Schema, unpack(packed, atBytes, bodyStructure), atBytes);
  return decodeBodyV1(spaces, header, (problem) => corrupt(atBytes, problem));
}

function decodedBodies(header: ManifestHeader, bodies: readonly Uint8Array[]) {
  const pageCount = Object.values(header.labelCounts).reduce((sum, count) => sum + count, 0);
  return header.bodies.map(({ name, sizeBytes, sha256 }, index) => {
    const bytes = bodies.at(index) ?? new Uint8Array();
    if (bytes.length !== sizeBytes || !sha256Of(bytes).equals(sha256)) {
      throw new ParsError(
        'corrupt',
        `${name}: its ${bytes.length} bytes are not the ${sizeBytes} that the manifest names by their SHA-256`,
      );
    }
    return decodeBody(bytes, pageCount);
  });
}

/** The fixed head. The CRC has not been checked yet, so only limits are. */
function decodeHead(bytes: Uint8Array): Head {
  if (manifestMagic.some((byte, index) => bytes[index] !== byte)) {
    throw corrupt(headField.magic, 'the first 8 bytes are not PARSMANI; this is no manifest');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headSizeBytes);
  const stated = view.getUint16(headField.version, true);
  const version = manifestVersions.find((known) => known === stated);
  if (version === undefined) {
    throw new ParsError(
      'unsupported',
      `manifest version ${stated}, this program reads ${manifestVersions.join(' and ')}; ` +
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
  const [second, mostBytes] =
    version === 1 ? ['body', maxBodySizeBytes] : ['details', maxDetailsSizeBytes];
  const secondSize = view.getBigUint64(headField.secondSize, true);
  if (secondSize > BigInt(mostBytes)) {
    throw corrupt(
      headField.secondSize,
      `${second} of ${secondSize.toString()} bytes, at most ${mostBytes} are possible`,
    );
  }
  const encryption = view.getUint8(headField.encryption);
  if (encryption !== 0) {
    throw new ParsError(
      'unsupported',
      `manifest at byte ${headField.encryption}: encryption ${encryption} is not known here (known: 0, none); ` +
        'use a newer program',
    );
  }
  if (bytes.subarray(headField.reserved, headField.crc).some((byte) => byte !== 0)) {
    throw corrupt(headField.reserved, 'reserved bytes are not zero');
  }
  return {
    version,
    headerSizeBytes,
    secondSizeBytes: Number(secondSize),
    crc: view.getUint32(headField.crc, true),
  };
}

function expectFeatures(value: unknown, version: ManifestVersion): void {
  const { requiredFeatures } = parse(featuresSchema, value, headSizeBytes);
  const unknown = requiredFeatures.filter((feature) => !knownFeatures[version].includes(feature));
  if (unknown.length > 0) {
    throw new ParsError(
      'unsupported',
      `the manifest requires ${unknown.join(', ')}, which this program does not know; use a newer program`,
    );
  }
}

function headerOf(value: unknown, packedDetails: Uint8Array, detailsAt: number): ManifestHeader {
  const { packs, ...header } = parse(headerSchema, value, headSizeBytes);
  const details = parse(
    detailsSchema,
    unpack(packedDetails, detailsAt, headerStructure),
    detailsAt,
  );
  return {
    ...header,
    packs: packsOf(packs, header.requiredFeatures.includes(codedPacksFeature)),
    ...details,
  };
}

function packsOf(runs: readonly PackRun[], mayBeCoded: boolean): readonly PackEntry[] {
  const packCount = runs.reduce((sum, run) => sum + run.packCount, 0);
  if (packCount > maxPackCount) {
    throw corrupt(headSizeBytes, `${packCount} packs, at most ${maxPackCount} are possible`);
  }
  return runs.flatMap(({ writer, packCount: count, number, sizeBytes, ...run }) => {
    if (number.length !== count * 4 || sizeBytes.length !== count * 4) {
      throw corrupt(headSizeBytes, `the columns of the packs of ${writer} are not ${count} long`);
    }
    const kept = keptOf(run, writer, mayBeCoded);
    const sizes = columnOfBytes(sizeBytes);
    return Array.from(columnOfBytes(number), (packNumber, index) => ({
      name: packName(writer, packNumber),
      sizeBytes: sizes[index],
      ...kept,
    }));
  });
}

function keptOf(
  { copies, code }: Pick<PackRun, 'copies' | 'code'>,
  writer: string,
  mayBeCoded: boolean,
): CopiesOrCode {
  if (copies !== undefined && code === undefined) {
    return { replication: copies };
  }
  const parsed = copies === undefined && mayBeCoded ? parseErasureCode(code ?? '') : undefined;
  if (parsed === undefined) {
    throw corrupt(
      headSizeBytes,
      `of the packs of ${writer} it says neither copies nor, with the feature ${codedPacksFeature}, a code`,
    );
  }
  return { code: parsed };
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
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
  if (!result.success) {
    throw corrupt(atBytes, describeProblem(result.error));
  }
  return result.data;
}
