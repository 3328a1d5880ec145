// A body to its bytes. The same body always gives the same bytes.
import { deflateRawSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { ParsError } from '../../../introspect/pars-error.js';
import type { PlaceColumns } from '../../pack/types.js';
import { packValue } from '../codec.js';
import { diskHeldRecord, healingRecord } from '../healing-record.js';
import { maxBodySizeBytes } from '../layout.js';
import { partsOfPackName } from '../pack-name.js';
import { describeProblem } from '../schema.js';
import { bytesOfColumn } from '../space/columns.js';
import { diskRecord } from '../space/disk-record.js';
import type { AddressSpace } from '../types.js';
import { bodyField, bodyHeadBytes, bodyKinds, bodyMagic, bodyVersion, deflated } from './layout.js';
import { type BodyRecord, bodySchema, type ChangedRecord, type WholeRecord } from './schema.js';
import { gapsOf, slotStepsOf, stepsOf } from './steps.js';
import type { Body, ChangedSpace } from './types.js';

/** Little is gained beyond: columns are mostly zeroes, or noise. */
const deflateLevel = 3;

/** Throws `usage` for a body that could not be read back. */
export function encodeBody(body: Body): Uint8Array {
  const record = recordOf(body);
  const shape = bodySchema.safeParse(record);
  if (!shape.success) {
    throw new ParsError('usage', `body to be written: ${describeProblem(shape.error)}`);
  }
  const raw = packValue(record);
  if (raw.length > maxBodySizeBytes) {
    throw new ParsError(
      'usage',
      `body to be written: it takes ${raw.length} bytes, at most ${maxBodySizeBytes} can be read back`,
    );
  }
  const stored = deflateRawSync(raw, { level: deflateLevel });
  const bytes = Buffer.alloc(bodyHeadBytes + stored.length);
  bytes.set(bodyMagic, bodyField.magic);
  bytes.writeUInt16LE(bodyVersion, bodyField.version);
  bytes[bodyField.kind] = bodyKinds[body.kind];
  bytes[bodyField.codec] = deflated;
  bytes.writeBigUInt64LE(BigInt(raw.length), bodyField.rawSize);
  bytes.writeBigUInt64LE(BigInt(stored.length), bodyField.storedSize);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, bodyField.crc)), bodyField.crc);
  bytes.set(stored, bodyHeadBytes);
  return bytes;
}

function recordOf({ packNames, frames, spaces }: Body): BodyRecord {
  return {
    packs: packRunsOf(packNames),
    frameCount: frames.pack.length,
    frames: {
      pack: bytesOfColumn(stepsOf(frames.pack)),
      offset: bytesOfColumn(gapsOf(frames)),
      length: bytesOfColumn(frames.length),
      identity: bytesOfColumn(frames.identity),
      pageCount: frames.pageCount,
    },
    spaces: spaces.map((entry) =>
      entry.is === 'whole' ? wholeRecord(entry.space) : changedRecord(entry.change),
    ),
  };
}

/** Packs of one writer that follow each other, together. */
function packRunsOf(names: readonly string[]): BodyRecord['packs'] {
  const runs: { writer: string; numbers: number[] }[] = [];
  for (const name of names) {
    const parts = partsOfPackName(name);
    if (parts === undefined) {
      throw new ParsError('usage', `body to be written: ${name} is no name of a pack`);
    }
    const last = runs.at(-1);
    if (last?.writer === parts.writer) {
      last.numbers.push(parts.number);
    } else {
      runs.push({ writer: parts.writer, numbers: [parts.number] });
    }
  }
  return runs.map(({ writer, numbers }) => ({
    writer,
    packCount: numbers.length,
    number: bytesOfColumn(stepsOf(Uint32Array.from(numbers))),
  }));
}

function placesRecord(places: PlaceColumns): WholeRecord['places'] {
  return {
    window: bytesOfColumn(stepsOf(places.window)),
    maskLow: bytesOfColumn(places.maskLow),
    maskHigh: bytesOfColumn(places.maskHigh),
    frame: bytesOfColumn(stepsOf(places.frame)),
    slot: slotStepsOf(places),
  };
}

function wholeRecord(space: AddressSpace): WholeRecord {
  const { name, regions, labelRuns, places } = space;
  if (space.pageSizeBytes !== pageSizeBytes) {
    throw new ParsError('unsupported', `body to be written: pages of ${space.pageSizeBytes} bytes`);
  }
  return {
    is: 'whole',
    name,
    placeCount: places.window.length,
    places: placesRecord(places),
    pageSizeBytes,
    regions: regions.map(({ start, sizeBytes }) => ({ start, sizeBytes })),
    labelRunCount: labelRuns.label.length,
    labelRuns: { label: labelRuns.label, pageCount: bytesOfColumn(labelRuns.pageCount) },
    ...(space.kind === 'disk'
      ? { disk: diskRecord(space.disk) }
      : {
          ...(space.healing === undefined ? {} : { healing: healingRecord(space.healing) }),
          ...(space.diskHeld === undefined ? {} : { diskHeld: diskHeldRecord(space.diskHeld) }),
          ...(space.notStored === undefined ? {} : { notStored: [...space.notStored] }),
        }),
  };
}

function changedRecord({
  name,
  labels,
  places,
  healing,
  notStored,
  diskHeld,
}: ChangedSpace): ChangedRecord {
  return {
    is: 'changed',
    name,
    placeCount: places.window.length,
    places: placesRecord(places),
    changedRunCount: labels.label.length,
    changedRuns: {
      firstPage: bytesOfColumn(stepsOf(labels.firstPage)),
      pageCount: bytesOfColumn(labels.pageCount),
      label: labels.label,
    },
    ...(healing === undefined ? {} : { healing: healing === null ? null : healingRecord(healing) }),
    ...(notStored === undefined ? {} : { notStored: notStored === null ? null : [...notStored] }),
    ...(diskHeld === undefined || diskHeld === null
      ? { ...(diskHeld === null ? { diskHeld } : {}) }
      : {
          diskHeld: diskHeldRecord(diskHeld.added),
          ...(diskHeld.dropped === undefined
            ? {}
            : {
                droppedCount: diskHeld.dropped.length,
                dropped: bytesOfColumn(stepsOf(diskHeld.dropped)),
              }),
        }),
  };
}
