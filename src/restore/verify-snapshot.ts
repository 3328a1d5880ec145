// Says whether a snapshot could be restored now, how safely, and what it would survive: every file there, of its length,
// with its copies; and, when asked, every frame read and checked.
import { ParsError } from '../../introspect/pars-error.js';
import type { OnProgress } from '../flow/progress.js';
import { isDiskSpace } from '../manifest/disk-space.js';
import type { Manifest } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import type { StoredFrames } from '../pack/types.js';
import type { UnderReplicated } from '../snapshot/confirm-replication.js';
import type { Store } from '../store/store.js';
import { fewestPlaces } from '../store/block-state.js';
import { isLost, isUnreachable } from './file-copies.js';
import { type HealingOutlook, healingOutlook } from './healing-outlook.js';
import { locateFiles } from './locate-files.js';
import { type LossScenario, lossScenarios } from './loss-scenarios.js';
import {
  framesOfPacks,
  type LossReason,
  type LostPacks,
  type LostRun,
  lostRuns,
} from './lost-pages.js';
import { disksToBeGiven } from './own-disks.js';
import { countPages, sumPages } from './pages-by-label.js';
import { readFrames } from './read-frames.js';
import type { DiskLoss } from './restored-disk.js';
import { type Risk, snapshotRisks } from './snapshot-risks.js';

export interface VerifyRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  readonly readData: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface Verification {
  /** Pages of RAM that were stored and cannot be read back now. Those that the policy left out are in the scenarios alone. */
  readonly lost: readonly LostRun[];
  /** Of the disks that lost anything: nothing heals them. */
  readonly lostOnDisks: readonly DiskLoss[];
  /** Which of them a restore would heal, and how. */
  readonly outlook: HealingOutlook;
  /** Disks that hold pages of RAM and are not stored with it: what heals by a disk needs their images. */
  readonly disksToBeGiven: readonly string[];
  /** Files of another length than the manifest states, or missing, each with what was found. */
  readonly wrongFiles: readonly string[];
  /** Files of which copies are out of reach, so that they cannot be read now. */
  readonly unreachableFiles: readonly string[];
  /** Files that are there with fewer copies, or units of a code, than wanted. */
  readonly underReplicated: readonly UnderReplicated[];
  /** What would be lost, and whether the guest would resume: as things are, without each node, without single copies. */
  readonly scenarios: readonly LossScenario[];
  readonly risks: readonly Risk[];
}

export async function verifySnapshot(request: VerifyRequest): Promise<Verification> {
  const { store, manifest, readData, signal } = request;
  const { header, spaces } = manifest;
  const { packs, beside, wrong } = await locateFiles(store, header, signal);
  const lostPacks = new Map(
    packs.flatMap((file, pack) =>
      isLost(file) ? [[pack, isUnreachable(file) ? 'unreachable' : 'lost'] as const] : [],
    ),
  );
  const lostFrames = readData
    ? await readAll(request, lostPacks)
    : spaces.map((space) => framesOfPacks(space, lostPacks));
  const [lost, ...lostOfOthers] = spaces.map((space, index) => lostRuns(space, lostFrames[index]));

  const labelCount = header.legend.length;
  const input = {
    header,
    space: spaces[0],
    disksToBeGiven: disksToBeGiven(spaces),
    storedDisks: spaces.filter(isDiskSpace).map(({ disk }) => disk.name),
    packs,
    beside,
    pages: sumPages(spaces.map((space) => countPages(space, packs.length, labelCount))),
    damagedPages: sumPages(
      spaces.map((space, index) =>
        countPages(space, packs.length, labelCount, (frame) => lostFrames[index].has(frame)),
      ),
    ),
    copiesComeLater: store.copiesComeLater,
  };
  const scenarios = lossScenarios(input);
  const wrongNames = new Set(wrong.map(({ name }) => name));
  return {
    lost,
    lostOnDisks: spaces.slice(1).flatMap(({ disk }, index) => {
      const runs = lostOfOthers[index];
      return disk === undefined || runs.length === 0 ? [] : [{ name: disk.name, lost: runs }];
    }),
    outlook: healingOutlook(spaces[0], header, lost),
    disksToBeGiven: input.disksToBeGiven,
    wrongFiles: wrong.map(({ found }) => found),
    unreachableFiles: [...packs, ...beside].filter(isUnreachable).map(({ name }) => name),
    underReplicated: [...packs, ...beside]
      .map(({ name, replication, blocks }) => ({ name, ...fewestPlaces(blocks, replication) }))
      .filter(({ name, wanted, found }) => found < wanted && !wrongNames.has(name)),
    scenarios,
    risks: snapshotRisks(input, scenarios),
  };
}

/** Frames that cannot be read, of each space. */
async function readAll(
  { store, manifest, signal, onProgress }: VerifyRequest,
  lostPacks: LostPacks,
): Promise<readonly ReadonlyMap<number, LossReason>[]> {
  const { header, spaces } = manifest;
  const totalBytes = spaces
    .map(({ frames }) => frames.length.reduce((sum, length) => sum + length, 0))
    .reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  let doneBytes = 0;
  const pool = createFramePool();
  try {
    const lostFrames: ReadonlyMap<number, LossReason>[] = [];
    for (const [spaceIndex, space] of spaces.entries()) {
      const reader = {
        store,
        packs: header.packs,
        space,
        spaceIndex,
        take: (stored: StoredFrames) => pool.decode(stored),
        onRead: (sizeBytes: number) => {
          doneBytes += sizeBytes;
          onProgress?.({ phase: 'checking pages', doneBytes, totalBytes });
        },
        signal,
      };
      lostFrames.push(await readFrames(reader, lostPacks));
    }
    return lostFrames;
  } catch (error) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the check was stopped', { cause: error });
    }
    throw error;
  } finally {
    await pool.close();
  }
}
