// Reads frames of a snapshot, all that can be had, and says which cannot.
//
// Locations are asked for first, pack by pack, so nothing waits for a block that is known to be lost. A block whose copies
// the store lists and which cannot be reached is not lost: reading ends there, unless whoever reads gives those up too.
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import { allOf } from '../flow/first-cause.js';
import { type SharedBytes, SharedSlots } from '../flow/shared-slots.js';
import type { LossReason, LostFrames, LostPacks } from '../loss/loss-reason.js';
import type { Manifest } from '../manifest/types.js';
import { pickFrames } from '../manifest/used-frames.js';
import { packHeaderSizeBytes } from '../pack/layout.js';
import type { StoredFrames } from '../pack/types.js';
import { blockState, stateOfBlocks } from '../store/block-state.js';
import type { Store, StoredBlock } from '../store/store.js';
import { UnreachableCopies } from '../store/unreachable.js';
import { PackReader } from './pack-reader.js';
import { planReads, type ReadPiece, readSizeBytes } from './read-plan.js';

/** Pieces that are being read, or are read and not yet taken; and the memory for them. */
const readConcurrency = 4;
const locateConcurrency = 8;

export interface FramesRequest {
  readonly store: Store;
  readonly manifest: Pick<Manifest, 'header' | 'frames'>;
  /** Indices of the frames that are wanted. */
  readonly wanted: Uint32Array;
  /** Give up what cannot be reached, as if it were lost. */
  readonly healUnreachable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Packs of which no copy is alive, or that are gone, with `healUnreachable` those too that cannot be reached. Throws
 * UnreachableCopies for one of these without.
 */
export async function findLostPacks({
  store,
  manifest: { header, frames },
  wanted,
  healUnreachable,
  signal,
}: FramesRequest): Promise<LostPacks> {
  const used = [...new Set(wanted.map((frame) => frames.pack[frame]))];
  const limit = pLimit(locateConcurrency);
  const lost = new Map<number, 'lost' | 'unreachable'>();
  await Promise.all(
    used.map((pack) =>
      limit(async () => {
        const { name } = header.packs[pack];
        try {
          const blocks = await store.blocks(name, { signal });
          const state = stateOfBlocks(blocks);
          if (state === 'readable') {
            return;
          }
          if (state === 'unreachable' && healUnreachable !== true) {
            throw outOfReach(name, blocks);
          }
          lost.set(pack, state);
        } catch (error) {
          const reason = lossOf(error, healUnreachable === true);
          if (reason === undefined) {
            throw error;
          }
          lost.set(pack, reason);
        }
      }),
    ),
  );
  return lost;
}

function outOfReach(name: string, blocks: readonly StoredBlock[]): UnreachableCopies {
  const places = blocks
    .filter((block) => blockState(block) === 'unreachable')
    .flatMap(({ unreachable }) => unreachable);
  return new UnreachableCopies(
    `${name}: none of its copies can be reached now; not there: ${[...new Set(places)].join(', ')}. ` +
      'Mount what is missing and try again',
  );
}

export interface FrameReader extends FramesRequest {
  /**
   * Takes a piece of a pack, and the indices of its frames among the snapshot's; a rejection with `corrupt` marks it. Its bytes
   * are of memory that is used again when the promise settles.
   */
  readonly take: (stored: StoredFrames, frames: Uint32Array) => Promise<unknown>;
  readonly onRead?: (sizeBytes: number) => void;
}

/** The frames that could not be read, with the reason. `lostPacks` are not tried. */
export async function readFrames(reader: FrameReader, lostPacks: LostPacks): Promise<LostFrames> {
  const { store, manifest, wanted, signal } = reader;
  const packs = new PackReader(store, manifest.header.packs);
  const lostFrames = new Map<number, LossReason>();
  const lose = (piece: ReadPiece, reason: LossReason): void => {
    for (const frame of piece.frameIndices) {
      lostFrames.set(frame, reason);
    }
  };
  const limit = pLimit(readConcurrency);
  const slots = new SharedSlots(readConcurrency, readSizeBytes + packHeaderSizeBytes);
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const work = planReads(manifest.frames, wanted).map((piece) =>
    limit(async () => {
      const reason = lostPacks.get(piece.pack);
      if (reason !== undefined) {
        lose(piece, reason);
        return;
      }
      if (stop.aborted) {
        return;
      }
      const slot = await slots.take();
      try {
        await readPiece({ ...reader, signal: stop }, packs, piece, slot, lose);
        slots.give(slot);
      } catch (error) {
        // What a read that failed has begun may still arrive in the slot: it is not used again.
        failed.abort();
        throw error;
      }
    }),
  );
  await allOf(work).finally(() => signal?.throwIfAborted());
  return lostFrames;
}

async function readPiece(
  reader: FrameReader,
  packs: PackReader,
  piece: ReadPiece,
  slot: SharedBytes,
  lose: (piece: ReadPiece, reason: LossReason) => void,
): Promise<void> {
  let failure = await tryPiece(reader, packs, piece, slot, true);
  if (failure === 'corrupt') {
    // The store may find by its own checksums that this copy is not what was written, and give another.
    failure = await tryPiece(reader, packs, piece, slot, false);
  }
  if (failure === 'corrupt' && piece.frameIndices.length > 1) {
    // One bad frame must not cost its neighbours: they are read again, one by one.
    const { offset, length } = reader.manifest.frames;
    for (const frame of piece.frameIndices) {
      const alone = {
        pack: piece.pack,
        startBytes: offset[frame],
        sizeBytes: length[frame],
        frameIndices: Uint32Array.of(frame),
      };
      await readPiece(reader, packs, alone, slot, lose);
    }
  } else if (failure !== undefined) {
    lose(piece, failure);
  } else {
    reader.onRead?.(piece.sizeBytes);
  }
}

/** Undefined when every frame of the piece was read and taken. */
async function tryPiece(
  { manifest, take, healUnreachable, signal }: FrameReader,
  packs: PackReader,
  { pack, startBytes, sizeBytes, frameIndices }: ReadPiece,
  into: SharedBytes,
  isCheckedByReader: boolean,
): Promise<LossReason | undefined> {
  try {
    const read = await packs.read(pack, startBytes, sizeBytes, {
      signal,
      into,
      isCheckedByReader,
    });
    const frames = pickFrames(manifest.frames, frameIndices);
    await take({ pack: packs.nameOf(pack), ...read, frames }, frameIndices);
    return undefined;
  } catch (error) {
    const reason = lossOf(error, healUnreachable === true);
    if (reason !== undefined) {
      return reason;
    }
    if (isCorruption(error)) {
      return 'corrupt';
    }
    throw error;
  }
}

/** Undefined for what is no loss: then the error stands. */
function lossOf(error: unknown, healUnreachable: boolean): 'lost' | 'unreachable' | undefined {
  if (error instanceof UnreachableCopies) {
    return healUnreachable ? 'unreachable' : undefined;
  }
  const isLoss =
    error instanceof ParsError && (error.code === 'data-lost' || error.code === 'not-found');
  return isLoss ? 'lost' : undefined;
}

function isCorruption(error: unknown): boolean {
  return error instanceof ParsError && error.code === 'corrupt';
}
