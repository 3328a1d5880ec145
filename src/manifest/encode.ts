// A manifest to its bytes. The same manifest always gives the same bytes: keys are written in the order of this file.
import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import { findProblem } from './check.js';
import { packValue } from './codec.js';
import { bytesOfColumn } from './columns.js';
import { diskRecord } from './disk-record.js';
import { diskHeldRecord, healingRecord } from './healing-record.js';
import {
  hashSizeBytes,
  headField,
  headSizeBytes,
  manifestMagic,
  manifestVersion,
  maxBodySizeBytes,
  maxHeaderSizeBytes,
} from './layout.js';
import { bodySchema, describeProblem, headerSchema, type SpaceRecord } from './schema.js';
import type { AddressSpace, Manifest, ManifestHeader, VmIdentity } from './types.js';

/** Throws `usage` for a manifest that could not be read back, saying what is wrong with it. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const headerValue = headerRecord(manifest.header);
  const bodyValue = { spaces: manifest.spaces.map(spaceRecord) };
  const shape = headerSchema.safeParse(headerValue).error ?? bodySchema.safeParse(bodyValue).error;
  const problem = shape === undefined ? findProblem(manifest) : describeProblem(shape);
  if (problem !== undefined) throw new ParsError('usage', `manifest to be written: ${problem}`);

  const header = packValue(headerValue);
  const body = packValue(bodyValue);
  checkSize('header', header.length, maxHeaderSizeBytes);
  checkSize('body', body.length, maxBodySizeBytes);
  const bytes = new Uint8Array(headSizeBytes + header.length + body.length + hashSizeBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(manifestMagic, headField.magic);
  view.setUint16(headField.version, manifestVersion, true);
  view.setUint16(headField.flags, 0, true);
  view.setUint32(headField.headerSize, header.length, true);
  view.setBigUint64(headField.bodySize, BigInt(body.length), true);
  view.setUint32(headField.crc, crc32c(header, crc32c(bytes.subarray(0, headField.crc))), true);
  bytes.set(header, headSizeBytes);
  bytes.set(body, headSizeBytes + header.length);
  const hashAt = bytes.length - hashSizeBytes;
  bytes.set(createHash('sha256').update(bytes.subarray(0, hashAt)).digest(), hashAt);
  return bytes;
}

function checkSize(part: string, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes > maxBytes) {
    throw new ParsError(
      'usage',
      `manifest to be written: its ${part} takes ${sizeBytes} bytes, at most ${maxBytes} can be read back`,
    );
  }
}

function headerRecord(header: ManifestHeader): ManifestHeader {
  return {
    id: header.id,
    vm: header.vm,
    createdMs: header.createdMs,
    requiredFeatures: header.requiredFeatures,
    packs: header.packs.map(({ name, sizeBytes, replication }) => ({
      name,
      sizeBytes,
      replication,
    })),
    attachments: header.attachments.map(({ role, name, sizeBytes, sha256 }) => ({
      role,
      name,
      sizeBytes,
      sha256,
    })),
    guest:
      header.guest === null
        ? null
        : { release: header.guest.release, buildId: header.guest.buildId },
    evidence: header.evidence,
    labelCounts: header.labelCounts,
    legend: header.legend,
    imageSizeBytes: header.imageSizeBytes,
    ...(header.identity === undefined ? {} : { identity: identityRecord(header.identity) }),
  };
}

function identityRecord({ uuid, id, host }: VmIdentity): VmIdentity {
  return {
    ...(uuid === undefined ? {} : { uuid }),
    ...(id === undefined ? {} : { id }),
    ...(host === undefined ? {} : { host }),
  };
}

function spaceRecord({ frames, labelRuns, ...space }: AddressSpace): SpaceRecord {
  if (space.pageSizeBytes !== pageSizeBytes) {
    throw new ParsError(
      'unsupported',
      `manifest to be written: pages of ${space.pageSizeBytes} bytes`,
    );
  }
  return {
    name: space.name,
    pageSizeBytes: space.pageSizeBytes,
    regions: space.regions.map(({ start, sizeBytes }) => ({ start, sizeBytes })),
    labelRunCount: labelRuns.label.length,
    labelRuns: { label: labelRuns.label, pageCount: bytesOfColumn(labelRuns.pageCount) },
    frameCount: frames.window.length,
    frames: {
      window: bytesOfColumn(frames.window),
      maskLow: bytesOfColumn(frames.maskLow),
      maskHigh: bytesOfColumn(frames.maskHigh),
      offset: bytesOfColumn(frames.offset),
      length: bytesOfColumn(frames.length),
      pack: bytesOfColumn(frames.pack),
    },
    pageHashes: space.pageHashes,
    ...(space.healing === undefined ? {} : { healing: healingRecord(space.healing) }),
    ...(space.diskHeld === undefined ? {} : { diskHeld: diskHeldRecord(space.diskHeld) }),
    ...(space.notStored === undefined ? {} : { notStored: [...space.notStored] }),
    ...(space.disk === undefined ? {} : { disk: diskRecord(space.disk) }),
  };
}
