// A snapshot back into files: DIR/ram, sparse, and DIR/state; or the one file that both came from, a migration stream.
// Beside them the disks that were stored with it, DIR/disk-NAME.img. Does what plan-restore.ts decides.
//
// Files get their final name last, so what stands under that name is whole. Lost pages are healed. When some cannot be,
// nothing is written unless the caller allows it; then those read as zero, and the result says exactly which they are.
import { ParsError } from '../../introspect/pars-error.js';
import type { LostPacks } from '../loss/loss-reason.js';
import { type DiskLoss, restoreLoss } from '../loss/snapshot-loss.js';
import { usedFrames } from '../manifest/used-frames.js';
import { createFramePool, type FramePool } from '../pack/frame-pool.js';
import { findLostPacks } from '../pages/read-frames.js';
import { isRamElsewhere } from '../vm/saved-state.js';
import { healLost } from './heal/heal-lost.js';
import { nothingHealed } from './heal/healing.js';
import { expectOutputFolder, makeOutputFolder } from './output/output-folder.js';
import { checkFree, PartFiles, partOf, placePart } from './output/part-file.js';
import { StreamRebuild } from './output/rebuild-stream.js';
import { writeSpace } from './output/write-space.js';
import { writeState } from './output/write-state.js';
import { writeStream } from './output/write-stream.js';
import {
  foreseenOutcome,
  isRefused,
  memoryRead,
  namesGiven,
  namesNeeded,
  planRestore,
  type RestorePlan,
  settled,
  spacesRead,
  type StreamPlan,
} from './plan-restore.js';
import type { RestoreRequest } from './restore-request.js';
import type { RestoreOutcome, RestoreResult } from './restore-result.js';
import { restoredDisk } from './restored-disk.js';

export async function restoreSnapshot(request: RestoreRequest): Promise<RestoreResult> {
  const { folder } = request;
  const plan = planRestore(request);
  // Before anything is read: a restore takes minutes, and its end would be the wrong time to say so.
  expectOutputFolder(folder);
  for (const path of namesNeeded(plan)) {
    await checkFree(path);
  }
  // They start while it is asked what is lost.
  const pool = createFramePool({ isNeededSoon: true });
  try {
    return await restorePlanned(request, plan, pool);
  } finally {
    await pool.close();
  }
}

async function restorePlanned(
  request: RestoreRequest,
  plan: RestorePlan,
  pool: FramePool,
): Promise<RestoreResult> {
  const { folder, signal } = request;
  const lostPacks = await lostPacksOf(request, plan);
  const foreseen = foreseenOutcome(request, plan, lostPacks);
  if (isRefused(request, foreseen)) {
    return { kind: 'refused', ...foreseen };
  }
  makeOutputFolder(folder);
  const parts = new PartFiles();
  try {
    return await carryOut({ request, plan, lostPacks, foreseen, parts, pool });
  } catch (error) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the restore was stopped; no file was left', {
        cause: error,
      });
    }
    throw error;
  } finally {
    await parts.remove();
  }
}

/** The packs that are lost among those of RAM and of the disks that are wanted. */
async function lostPacksOf(
  { store, manifest, healUnreachable, signal }: RestoreRequest,
  plan: RestorePlan,
): Promise<LostPacks> {
  const wanted = usedFrames(manifest.frames, spacesRead(plan));
  return await findLostPacks({ store, manifest, wanted, healUnreachable, signal });
}

interface Work {
  readonly request: RestoreRequest;
  readonly plan: RestorePlan;
  readonly lostPacks: LostPacks;
  readonly foreseen: RestoreOutcome;
  readonly parts: PartFiles;
  readonly pool: FramePool;
}

async function carryOut(work: Work): Promise<RestoreResult> {
  const { request, plan, parts } = work;
  const { state } = memoryRead(plan.memory);
  // The device state first: it is small, and without it the RAM is not worth reading.
  if (state !== undefined) {
    await writeState(request, state.attachment, state.path, parts);
  }
  const memory = settled(plan.memory, (read) => isRamElsewhere(partOf(read.path)));
  const stream = memory.kind === 'stream' ? openStream(request, memory) : undefined;
  try {
    const outcome = await writeSpaces(work);
    if (isRefused(request, outcome)) {
      return { kind: 'refused', ...outcome };
    }
    if (stream !== undefined) {
      await writeStream(request, stream.rebuild, partOf(stream.ram.path), stream.path, parts);
    }
    for (const path of namesGiven(memory, plan.disks)) {
      await placePart(path);
    }
    const diskPaths = plan.disks.map(restoredDisk);
    return memory.kind === 'stream'
      ? { kind: 'stream', streamPath: memory.path, diskPaths, ...outcome }
      : {
          kind: 'files',
          ramPath: memory.ram?.path,
          statePath: memory.state?.path,
          diskPaths,
          ...outcome,
        };
  } finally {
    stream?.rebuild.close();
  }
}

/** From the device state that has just been written. */
function openStream({ manifest }: RestoreRequest, memory: StreamPlan) {
  const { imageSizeBytes } = manifest.header;
  const rebuild = StreamRebuild.open(partOf(memory.state.path), memory.format, imageSizeBytes);
  return { ...memory, rebuild };
}

/** The disks, then RAM, healed. Ends with the disks when their loss refuses the restore. */
async function writeSpaces(work: Work): Promise<RestoreOutcome> {
  const { request, plan, lostPacks, foreseen, parts, pool } = work;
  const lostOnDisks: DiskLoss[] = [];
  for (const disk of plan.disks) {
    const lostFrames = await writeSpace(request, disk, lostPacks, parts, pool);
    lostOnDisks.push(...restoreLoss([disk.space], lostFrames).lostOnDisks);
  }
  const withoutRam = { lost: foreseen.lost, lostOnDisks, healing: nothingHealed };
  const { ram } = memoryRead(plan.memory);
  if (isRefused(request, withoutRam) || ram === undefined) {
    return withoutRam;
  }
  const lostFrames = await writeSpace(request, ram, lostPacks, parts, pool);
  const { lost } = restoreLoss([ram.space], lostFrames);
  const healing = await healLost(request, ram.space, partOf(ram.path), plan.disks, lost);
  return { lost, lostOnDisks, healing };
}
