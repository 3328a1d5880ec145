// The packs of a snapshot: every space is cut into packs, and all of them go to the store a few at a time, through the
// same threads and within the same bounds of memory.
import pLimit from 'p-limit';
import { packName } from '../catalog/names.js';
import { BusyTime } from '../flow/busy-time.js';
import { allOf } from '../flow/first-cause.js';
import type { OnProgress } from '../flow/progress.js';
import type { HashedFile, PackEntry } from '../manifest/types.js';
import { chosenCodec } from '../pack/codec/chosen-codec.js';
import type { CodecChoice } from '../pack/codec/codec-choice.js';
import { batchSlots, type FramePool, jobsPerThread } from '../pack/frame-pool.js';
import { packContentBytes } from '../pack/layout.js';
import { requestedSizeBytes } from '../pack/read-pages.js';
import type { PackRequest } from '../pack/types.js';
import { planPacks } from '../plan/pack-plan.js';
import { plannedRedundancy, type ReplicationPlan } from '../plan/replication-plan.js';
import { copiesOrCode, type Redundancy } from '../store/redundancy.js';
import type { Store } from '../store/store.js';
import type { Content } from '../store/threads/content.js';
import { HashFiles } from './hash-files.js';
import { type MergedFrames, mergeFrames } from './merge-frames.js';
import { PackContent, type PackSource, type PagesSource } from './pack-content.js';
import { PackInThread } from './pack-in-thread.js';

/** Packs sent at a time: one fills the other's waits for the store. */
const packConcurrency = 3;

/** Where threads send packs, each has two, and the file of one more is made ahead. */
function packsAtOnce({ can }: Store, { threadCount }: FramePool): number {
  return can.sendFromThreads === true ? threadCount * jobsPerThread + 1 : packConcurrency;
}

/** Batches read and not yet sent, over all packs. */
const slotCount = 12;

/** A space of the snapshot, by its place in the manifest. */
export interface SpaceToStore {
  readonly pages: PagesSource;
  readonly plan: ReplicationPlan;
}

export interface PacksRequest {
  readonly store: Store;
  readonly id: string;
  readonly spaces: readonly SpaceToStore[];
  readonly pool: FramePool;
  /** One pack is at most one block. */
  readonly blockSizeBytes: number;
  readonly codec: CodecChoice;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface WrittenPacks extends MergedFrames {
  /** In the order of the spaces. */
  readonly packs: readonly PackEntry[];
  readonly pageHashes: readonly HashedFile[];
}

export async function writePacks(request: PacksRequest): Promise<WrittenPacks> {
  const { store, id, spaces, pool, blockSizeBytes, signal, onProgress } = request;
  const requests = spaces.flatMap(({ pages, plan }, space) =>
    planPacks(plan, {
      packContentBytes: packContentBytes(blockSizeBytes),
      storedAt: pages.storedAt?.bind(pages),
    }).map((packRequest) => ({
      space,
      pages,
      packRequest,
      redundancy: plannedRedundancy(plan, packRequest.replication),
    })),
  );
  // A failure ends the other packs too, through the same signal that the caller's Ctrl-C uses.
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(packsAtOnce(store, pool));
  const totalBytes = requests.reduce(
    (sum, { packRequest }) => sum + requestedSizeBytes(packRequest.frames),
    0,
  );
  let doneBytes = 0;
  const shared: Omit<PackSource, 'pages'> = {
    pool,
    slots: batchSlots(slotCount),
    codec: chosenCodec(request.codec, pool.threadCount),
    taking: new BusyTime(),
    onPages: (sizeBytes) => {
      doneBytes += sizeBytes;
      onProgress?.({ phase: 'storing pages', doneBytes, totalBytes });
    },
  };
  const hashFiles = new HashFiles({ store, id, packCount: requests.length, signal: stop });
  const writeOne = async (
    source: PackSource,
    packRequest: PackRequest,
    redundancy: Redundancy,
    index: number,
  ) => {
    stop.throwIfAborted();
    const here = new PackContent(source, packRequest);
    const { fd } = source.pages;
    const inThread =
      fd === undefined || store.can.sendFromThreads !== true
        ? undefined
        : new PackInThread(
            { pool, fd, codec: request.codec, snapshot: id, onPages: shared.onPages },
            packRequest,
          );
    const content: Content = Object.assign(() => here.content(), { inThread });
    const name = packName(id, index);
    const sizeBytes = await store.write(name, content, {
      redundancy,
      blockSizeBytes,
      nameTells: 'nothing',
      signal: stop,
    });
    const sent = inThread?.sent;
    await hashFiles.add(index, sent?.hashes ?? here.hashes());
    const entry: PackEntry = { name, sizeBytes, ...copiesOrCode(redundancy) };
    return { entry, parts: sent === undefined ? here.frames() : [sent.written] };
  };
  const work = requests.map(({ space, pages, packRequest, redundancy }, index) =>
    limit(async () => {
      try {
        const source = { ...shared, pages };
        return { space, ...(await writeOne(source, packRequest, redundancy, index)) };
      } catch (error) {
        failed.abort();
        throw error;
      }
    }),
  );
  const written = await allOf(work);
  return {
    packs: written.map(({ entry }) => entry),
    pageHashes: hashFiles.written(),
    ...mergeFrames(
      written.flatMap(({ space, parts }, pack) => parts.map((part) => ({ ...part, pack, space }))),
      spaces.length,
    ),
  };
}
