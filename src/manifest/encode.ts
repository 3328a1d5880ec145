// A manifest's own file to its bytes. The same header always gives the same bytes: keys are written in the order of this file.
// Its bodies are files of their own (body/encode.ts).
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import { ParsError } from '../../introspect/pars-error.js';
import { type CopiesOrCode, ecPolicyName } from '../store/redundancy.js';
import { packValue } from './codec.js';
import {
  hashSizeBytes,
  headField,
  headSizeBytes,
  manifestMagic,
  manifestVersion,
  maxDetailsSizeBytes,
  maxHeaderSizeBytes,
} from './layout.js';
import { partsOfPackName } from './pack-name.js';
import { describeProblem, detailsSchema, headerSchema, type PackRun } from './schema.js';
import { bytesOfColumn } from './space/columns.js';
import type { HashedFile, ManifestHeader, PackEntry, VmIdentity } from './types.js';

/** Throws `usage` for a header that could not be read back, saying what is wrong with it. */
export function encodeManifestHeader(manifest: ManifestHeader): Uint8Array {
  const headerValue = headerRecord(manifest);
  const detailsValue = detailsRecord(manifest);
  const shape =
    headerSchema.safeParse(headerValue).error ?? detailsSchema.safeParse(detailsValue).error;
  if (shape !== undefined) {
    throw refused(describeProblem(shape));
  }

  const header = packValue(headerValue);
  const details = packValue(detailsValue);
  checkSize('header', header.length, maxHeaderSizeBytes);
  checkSize('details', details.length, maxDetailsSizeBytes);
  const bytes = new Uint8Array(headSizeBytes + header.length + details.length + hashSizeBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(manifestMagic, headField.magic);
  view.setUint16(headField.version, manifestVersion, true);
  view.setUint16(headField.flags, 0, true);
  view.setUint32(headField.headerSize, header.length, true);
  view.setBigUint64(headField.secondSize, BigInt(details.length), true);
  bytes.set(header, headSizeBytes);
  bytes.set(details, headSizeBytes + header.length);
  const hashAt = bytes.length - hashSizeBytes;
  const covered = bytes.subarray(headSizeBytes, hashAt);
  view.setUint32(headField.crc, crc32c(covered, crc32c(bytes.subarray(0, headField.crc))), true);
  bytes.set(createHash('sha256').update(bytes.subarray(0, hashAt)).digest(), hashAt);
  return bytes;
}

function checkSize(part: string, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes > maxBytes) {
    throw refused(`its ${part} takes ${sizeBytes} bytes, at most ${maxBytes} can be read back`);
  }
}

function headerRecord(header: ManifestHeader) {
  return {
    id: header.id,
    vm: header.vm,
    createdMs: header.createdMs,
    requiredFeatures: [...header.requiredFeatures],
    ...(header.identity === undefined ? {} : { identity: identityRecord(header.identity) }),
    ...(header.parent === undefined ? {} : { parent: header.parent }),
    imageSizeBytes: header.imageSizeBytes,
    bodies: header.bodies.map(hashedFileRecord),
    packs: packRunsOf(header.packs),
    pageHashes: header.pageHashes.map(hashedFileRecord),
    attachments: header.attachments.map(({ role, ...file }) => ({
      role,
      ...hashedFileRecord(file),
    })),
  };
}

/** What may be sealed: it tells of the guest. */
function detailsRecord({ guest, evidence, labelCounts, legend }: ManifestHeader) {
  return {
    guest: guest === null ? null : { release: guest.release, buildId: guest.buildId },
    evidence,
    labelCounts,
    legend: [...legend],
  };
}

function hashedFileRecord({ name, sizeBytes, sha256 }: HashedFile): HashedFile {
  return { name, sizeBytes, sha256 };
}

function identityRecord({ uuid, id, host }: VmIdentity): VmIdentity {
  return {
    ...(uuid === undefined ? {} : { uuid }),
    ...(id === undefined ? {} : { id }),
    ...(host === undefined ? {} : { host }),
  };
}

/** Packs that follow each other, of one writer and kept alike, together. */
function packRunsOf(packs: readonly PackEntry[]): PackRun[] {
  const runs: { writer: string; kept: KeptKey; numbers: number[]; sizes: number[] }[] = [];
  for (const { name, sizeBytes, ...pack } of packs) {
    const kept = keptKey(pack);
    const parts = partsOfPackName(name);
    if (parts === undefined) {
      throw refused(`${name} is no name of a pack`);
    }
    const last = runs.at(-1);
    if (last?.writer === parts.writer && isSame(last.kept, kept)) {
      last.numbers.push(parts.number);
      last.sizes.push(sizeBytes);
    } else {
      runs.push({
        writer: parts.writer,
        kept,
        numbers: [parts.number],
        sizes: [sizeBytes],
      });
    }
  }
  return runs.map(({ writer, kept, numbers, sizes }) => ({
    writer,
    packCount: numbers.length,
    number: bytesOfColumn(Uint32Array.from(numbers)),
    sizeBytes: bytesOfColumn(Uint32Array.from(sizes)),
    ...kept,
  }));
}

type KeptKey = Pick<PackRun, 'copies' | 'code'>;

function keptKey(pack: CopiesOrCode): KeptKey {
  return pack.code === undefined ? { copies: pack.replication } : { code: ecPolicyName(pack.code) };
}

function isSame(a: KeptKey, b: KeptKey): boolean {
  return a.copies === b.copies && a.code === b.code;
}

function refused(problem: string): ParsError {
  return new ParsError('usage', `manifest to be written: ${problem}`);
}
