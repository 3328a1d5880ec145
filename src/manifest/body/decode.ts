// The bytes of a body, each step checked before the next relies on it: magic, CRC of the head, what the head says against limits
// and the bytes at hand, what comes out of DEFLATE, its structure, its shape, the columns' sizes. How it hangs together with
// the bodies before it is resolve.ts's matter. Whoever reads it holds its SHA-256 against the manifest's first.
import { inflateRawSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { ParsError } from '../../../introspect/pars-error.js';
import type { PlaceColumns } from '../../pack/types.js';
import { unpackValue } from '../codec.js';
import { diskHeldOf, healingOf } from '../healing-record.js';
import { bodyStructure, maxBodySizeBytes, maxPackCount } from '../layout.js';
import { packName } from '../pack-name.js';
import { describeProblem } from '../schema.js';
import { columnOfBytes } from '../space/columns.js';
import { labelRunsOf, type SizedColumn, sizedColumns } from '../space/space-columns.js';
import type { AddressSpace } from '../types.js';
import {
  bodyField,
  bodyHeadBytes,
  type BodyKind,
  bodyKinds,
  bodyMagic,
  bodyVersion,
  deflated,
  mostBytesBesides,
  mostBytesPerPage,
} from './layout.js';
import { type BodyRecord, bodySchema, type ChangedRecord, type WholeRecord } from './schema.js';
import { offsetsOf, slotsOf, sumsOf } from './steps.js';
import type { Body, BodyFrames, ChangedSpace, SpaceOfBody } from './types.js';

/**
 * `pageCount`: of all spaces of the snapshot, as its header says, which bounds what is unpacked. Throws `corrupt`, or
 * `unsupported` for what is not known here.
 */
export function decodeBody(bytes: Uint8Array, pageCount: number): Body {
  const { kind, rawBytes } = decodeHead(bytes, pageCount);
  const record = recordOf(inflated(bytes.subarray(bodyHeadBytes), rawBytes));
  const packNames = packNamesOf(record);
  return {
    kind,
    packNames,
    frames: framesOf(record),
    spaces: record.spaces.map((space) => spaceOf(space, kind)),
  };
}

function decodeHead(
  bytes: Uint8Array,
  pageCount: number,
): { readonly kind: BodyKind; readonly rawBytes: number } {
  if (bytes.length < bodyHeadBytes) {
    throw corrupt(`expected a head of ${bodyHeadBytes} bytes, found ${bytes.length}`);
  }
  if (bodyMagic.some((byte, index) => bytes[index] !== byte)) {
    throw corrupt('the first 8 bytes are not PARSBODY; this is no body of a manifest');
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bodyHeadBytes);
  expectKnown('version', view.readUInt16LE(bodyField.version), [bodyVersion]);
  const crc = view.readUInt32LE(bodyField.crc);
  const computed = crc32c(view.subarray(0, bodyField.crc));
  if (crc !== computed) {
    throw corrupt(`the CRC32C of its head is ${crc}, its bytes give ${computed}`);
  }
  expectKnown('kind', view[bodyField.kind], Object.values(bodyKinds));
  expectKnown('codec', view[bodyField.codec], [deflated]);
  expectKnown('encryption', view[bodyField.encryption], [0]);
  const reserved = [
    view.subarray(bodyField.reserved, bodyField.rawSize),
    view.subarray(bodyField.reservedToo, bodyField.crc),
  ];
  if (reserved.some((part) => part.some((byte) => byte !== 0))) {
    throw corrupt('reserved bytes of its head are not zero');
  }
  const storedBytes = view.readBigUInt64LE(bodyField.storedSize);
  if (storedBytes !== BigInt(bytes.length - bodyHeadBytes)) {
    throw corrupt(
      `it states ${storedBytes} bytes behind its head, ${bytes.length - bodyHeadBytes} are there`,
    );
  }
  const rawBytes = view.readBigUInt64LE(bodyField.rawSize);
  const most = Math.min(maxBodySizeBytes, mostBytesBesides + pageCount * mostBytesPerPage);
  if (rawBytes > BigInt(most)) {
    throw corrupt(`a record of ${rawBytes} bytes, at most ${most} are possible`);
  }
  const kind = view[bodyField.kind] === bodyKinds.base ? 'base' : 'delta';
  return { kind, rawBytes: Number(rawBytes) };
}

function inflated(stored: Uint8Array, rawBytes: number): Uint8Array {
  let raw: Uint8Array;
  try {
    // One byte more, so that a longer one shows.
    raw = inflateRawSync(stored, { maxOutputLength: rawBytes + 1 });
  } catch (error) {
    throw corrupt(`it does not unpack: ${(error as Error).message}`);
  }
  if (raw.length !== rawBytes) {
    throw corrupt(`it unpacks to ${raw.length} bytes, expected ${rawBytes}`);
  }
  return raw;
}

function recordOf(raw: Uint8Array): BodyRecord {
  let value: unknown;
  try {
    value = unpackValue(raw, bodyStructure);
  } catch (error) {
    throw corrupt(`not MessagePack: ${(error as Error).message}`);
  }
  const result = bodySchema.safeParse(value);
  if (!result.success) {
    throw corrupt(describeProblem(result.error));
  }
  return result.data;
}

const sizedIn = (place: string): SizedColumn => sizedColumns(place, corrupt);

function packNamesOf({ packs }: BodyRecord): readonly string[] {
  const packCount = packs.reduce((sum, run) => sum + run.packCount, 0);
  if (packCount > maxPackCount) {
    throw corrupt(`${packCount} packs, at most ${maxPackCount} are possible`);
  }
  return packs.flatMap((run) =>
    Array.from(
      sumsOf(columnOfBytes(sizedIn('packs: ')(run.number, 'number', run.packCount * 4))),
      (number) => packName(run.writer, number),
    ),
  );
}

function framesOf({ frames, frameCount }: BodyRecord): BodyFrames {
  const sized = sizedIn('');
  const column = (field: 'pack' | 'offset' | 'length' | 'identity'): Uint32Array =>
    columnOfBytes(sized(frames[field], `frames.${field}`, frameCount * 4));
  const pack = sumsOf(column('pack'));
  const length = column('length');
  return {
    pack,
    length,
    offset: offsetsOf({ pack, length }, column('offset')),
    identity: column('identity'),
    pageCount: sized(frames.pageCount, 'frames.pageCount', frameCount),
  };
}

function spaceOf(record: WholeRecord | ChangedRecord, kind: BodyKind): SpaceOfBody {
  if (record.is === 'whole') {
    return { is: 'whole', space: wholeOf(record) };
  }
  if (kind === 'base') {
    throw corrupt(`space ${record.name}: a base has what changed of it, expected all`);
  }
  return { is: 'changed', change: changeOf(record) };
}

function placesOf(
  { places, placeCount }: Pick<WholeRecord, 'places' | 'placeCount'>,
  sized: SizedColumn,
): PlaceColumns {
  const column = (field: 'window' | 'maskLow' | 'maskHigh' | 'frame'): Uint32Array =>
    columnOfBytes(sized(places[field], `places.${field}`, placeCount * 4));
  const frame = sumsOf(column('frame'));
  const maskLow = column('maskLow');
  const maskHigh = column('maskHigh');
  const steps = sized(places.slot, 'places.slot', placeCount);
  return {
    window: sumsOf(column('window')),
    maskLow,
    maskHigh,
    frame,
    slot: slotsOf({ maskLow, maskHigh, frame }, steps),
  };
}

function wholeOf(record: WholeRecord): AddressSpace {
  const { name, disk, healing, diskHeld, notStored } = record;
  const sized = sizedIn(`space ${name}: `);
  const common = {
    name,
    pageSizeBytes: record.pageSizeBytes,
    regions: record.regions,
    labelRuns: labelRunsOf(record.labelRuns, record.labelRunCount, sized),
    places: placesOf(record, sized),
  };
  if (disk === undefined) {
    return {
      kind: 'ram',
      ...common,
      healing: healing === undefined ? undefined : healingOf(healing, sized),
      diskHeld: diskHeld === undefined ? undefined : diskHeldOf(diskHeld, sized),
      notStored,
    };
  }
  if ([healing, diskHeld, notStored].some((key) => key !== undefined)) {
    throw corrupt(`space ${name}: pages of a disk cannot be healed, yet it says how`);
  }
  return { kind: 'disk', ...common, disk };
}

function changeOf(record: ChangedRecord): ChangedSpace {
  const { name, changedRuns, changedRunCount, healing, notStored, diskHeld } = record;
  const sized = sizedIn(`space ${name}: `);
  const column = (field: 'firstPage' | 'pageCount'): Uint32Array =>
    columnOfBytes(sized(changedRuns[field], `changedRuns.${field}`, changedRunCount * 4));
  return {
    name,
    places: placesOf(record, sized),
    labels: {
      firstPage: sumsOf(column('firstPage')),
      pageCount: column('pageCount'),
      label: sized(changedRuns.label, 'changedRuns.label', changedRunCount),
    },
    healing: healing === undefined || healing === null ? healing : healingOf(healing, sized),
    notStored,
    diskHeld:
      diskHeld === undefined || diskHeld === null
        ? diskHeld
        : {
            added: diskHeldOf(diskHeld, sized),
            dropped:
              record.droppedCount === undefined
                ? undefined
                : sumsOf(
                    columnOfBytes(
                      sized(record.dropped ?? new Uint8Array(), 'dropped', record.droppedCount * 4),
                    ),
                  ),
          },
  };
}

function expectKnown(field: string, found: number, known: readonly number[]): void {
  if (!known.includes(found)) {
    throw new ParsError(
      'unsupported',
      `body of a manifest: ${field} ${found} is not known here (known: ${known.join(', ')}); use a newer program`,
    );
  }
}

function corrupt(problem: string): ParsError {
  return new ParsError('corrupt', `body of a manifest: ${problem}`);
}
