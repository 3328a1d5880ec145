// Reads every frame of a space that can be had, and says which cannot.
//
// Locations are asked for first, pack by pack, so nothing waits for a block that is known to be lost. A block whose
// node has died without the NameNode's noticing shows itself on reading; that counts as lost too.
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import { ByteBudget } from '../flow/byte-budget.js';
import { firstCause } from '../flow/first-cause.js';
import type { AddressSpace, PackEntry } from '../manifest/types.js';
import type { StoredFrames } from '../pack/types.js';
import type { Store } from '../store/store.js';
import type { LossReason } from './lost-pages.js';
import { framesOfPiece, planReads, type ReadPiece } from './read-plan.js';

/** Requests in flight. */
const readConcurrency = 4;
/** Bytes read and not yet decoded. */
const budgetBytes = 32 * 2 ** 20;
const locateConcurrency = 8;

export interface FrameReader {
  readonly store: Store;
  readonly packs: readonly PackEntry[];
  readonly space: AddressSpace;
  readonly spaceIndex: number;
  /** Takes a piece of a pack; a rejection with `corrupt` marks it. */
  readonly take: (stored: StoredFrames) => Promise<unknown>;
  readonly onRead?: (sizeBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Packs of which no copy is alive, or that are gone. By index. */
export async function findLostPacks({
  store,
  packs,
  space,
  signal,
}: Pick<FrameReader, 'store' | 'packs' | 'space' | 'signal'>): Promise<ReadonlySet<number>> {
  const used = [...new Set(space.frames.pack)];
  const limit = pLimit(locateConcurrency);
  const lost = await Promise.all(
    used.map((pack) =>
      limit(async () => {
        try {
          const blocks = await store.blocks(packs[pack].name, { signal });
          return blocks.every(({ locations }) => locations.length > 0) ? undefined : pack;
        } catch (error) {
          if (isLoss(error)) {
            return pack;
          }
          throw error;
        }
      }),
    ),
  );
  return new Set(lost.filter((pack) => pack !== undefined));
}

/** Frame indices that could not be read, with the reason. `lostPacks` are not tried. */
export async function readFrames(
  reader: FrameReader,
  lostPacks: ReadonlySet<number>,
): Promise<ReadonlyMap<number, LossReason>> {
  const { space, signal } = reader;
  const lostFrames = new Map<number, LossReason>();
  const lose = (piece: ReadPiece, reason: LossReason): void => {
    for (const frame of piece.frameIndices) {
      lostFrames.set(frame, reason);
    }
  };
  const limit = pLimit(readConcurrency);
  const budget = new ByteBudget(budgetBytes);
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const work = planReads(space.frames).map((piece) =>
    limit(async () => {
      if (lostPacks.has(piece.pack)) {
        lose(piece, 'lost');
        return;
      }
      if (stop.aborted) {
        return;
      }
      await budget.take(piece.sizeBytes);
      try {
        await readPiece(reader, piece, stop, lose);
      } catch (error) {
        failed.abort();
        throw error;
      } finally {
        budget.give(piece.sizeBytes);
      }
    }),
  );
  const settled = await Promise.allSettled(work);
  signal?.throwIfAborted();
  const failure = firstCause(settled);
  if (failure !== undefined) {
    throw failure;
  }
  return lostFrames;
}

async function readPiece(
  reader: FrameReader,
  piece: ReadPiece,
  signal: AbortSignal,
  lose: (piece: ReadPiece, reason: LossReason) => void,
): Promise<void> {
  const failure = await tryPiece(reader, piece, signal);
  if (failure === 'corrupt' && piece.frameIndices.length > 1) {
    // One bad frame must not cost its neighbours: they are read again, one by one.
    const { offset, length } = reader.space.frames;
    for (const frame of piece.frameIndices) {
      await readPiece(
        reader,
        {
          pack: piece.pack,
          startBytes: offset[frame],
          sizeBytes: length[frame],
          frameIndices: Uint32Array.of(frame),
        },
        signal,
        lose,
      );
    }
  } else if (failure !== undefined) {
    lose(piece, failure);
  } else {
    reader.onRead?.(piece.sizeBytes);
  }
}

/** Undefined when every frame of the piece was read and taken. */
async function tryPiece(
  { store, packs, space, spaceIndex, take }: FrameReader,
  piece: ReadPiece,
  signal: AbortSignal,
): Promise<LossReason | undefined> {
  const { name } = packs[piece.pack];
  try {
    const bytes = await store.read(name, piece.startBytes, piece.sizeBytes, { signal });
    await take({
      pack: name,
      space: spaceIndex,
      startBytes: piece.startBytes,
      frames: framesOfPiece(space.frames, piece),
      bytes,
    });
    return undefined;
  } catch (error) {
    if (isLoss(error)) {
      return 'lost';
    }
    if (isCorruption(error)) {
      return 'corrupt';
    }
    throw error;
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof ParsError && (error.code === 'data-lost' || error.code === 'not-found');
}

function isCorruption(error: unknown): boolean {
  return error instanceof ParsError && error.code === 'corrupt';
}
