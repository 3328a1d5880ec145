// Says whether a snapshot could be restored now, how safely, and what it would survive: every file there, of its length,
// with its copies; and, when asked, every frame read and checked.
import { ParsError } from '../../introspect/pars-error.js';
import type { OnProgress } from '../flow/progress.js';
import { disksToBeGiven } from '../loss/disks-to-be-given.js';
import { type HealingOutlook, healingOutlook } from '../loss/healing-outlook.js';
import type { LostFrames, LostPacks } from '../loss/loss-reason.js';
import { framesOfPacks, type LostRun } from '../loss/lost-pages.js';
import { countPages, sumPages } from '../loss/pages-by-label.js';
import { type DiskLoss, storedLoss } from '../loss/snapshot-loss.js';
import { disksOf, ramOf } from '../manifest/space/spaces.js';
import type { Manifest } from '../manifest/types.js';
import { framesSizeBytes, usedFrames } from '../manifest/used-frames.js';
import { createFramePool } from '../pack/frame-pool.js';
import type { StoredFrames } from '../pack/types.js';
import { readFrames } from '../pages/read-frames.js';
import { fewestPlaces, type UnderReplicated } from '../store/block-state.js';
import type { Store } from '../store/store.js';
import { isLost, isUnreachable } from './file-copies.js';
import { locateFiles } from './locate-files.js';
import { type LossScenario, lossScenarios } from './loss-scenarios.js';
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
  /** The disks that lost anything: nothing heals them. */
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
  const { header, frames, spaces } = manifest;
  const { packs, beside, wrong } = await locateFiles(store, header, signal);
  const lostPacks = new Map(
    packs.flatMap((file, pack) =>
      isLost(file) ? [[pack, isUnreachable(file) ? 'unreachable' : 'lost'] as const] : [],
    ),
  );
  const lostFrames = readData
    ? await readAll(request, lostPacks)
    : framesOfPacks(frames, lostPacks);
  const ram = ramOf(manifest);
  const { lost, lostOnDisks } = storedLoss(spaces, lostFrames);

  const labelCount = header.legend.length;
  const input = {
    header,
    space: ram,
    disksToBeGiven: disksToBeGiven(spaces),
    storedDisks: disksOf(manifest).map(({ disk }) => disk.name),
    packs,
    beside,
    pages: sumPages(spaces.map((space) => countPages(space, frames, packs.length, labelCount))),
    damagedPages: sumPages(
      spaces.map((space) =>
        countPages(space, frames, packs.length, labelCount, (frame) => lostFrames.has(frame)),
      ),
    ),
    copiesComeLater: store.copiesComeLater,
  };
  const scenarios = lossScenarios(input);
  const wrongNames = new Set(wrong.map(({ name }) => name));
  return {
    lost,
    lostOnDisks,
    outlook: healingOutlook(ram, header, lost),
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

async function readAll(
  { store, manifest, signal, onProgress }: VerifyRequest,
  lostPacks: LostPacks,
): Promise<LostFrames> {
  const wanted = usedFrames(manifest.frames, manifest.spaces);
  const totalBytes = framesSizeBytes(manifest.frames, wanted);
  let doneBytes = 0;
  const pool = createFramePool();
  try {
    const reader = {
      store,
      manifest,
      wanted,
      take: (stored: StoredFrames) => pool.check(stored),
      onRead: (sizeBytes: number) => {
        doneBytes += sizeBytes;
        onProgress?.({ phase: 'checking pages', doneBytes, totalBytes });
      },
      signal,
    };
    return await readFrames(reader, lostPacks);
  } catch (error) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the check was stopped', { cause: error });
    }
    throw error;
  } finally {
    await pool.close();
  }
}
