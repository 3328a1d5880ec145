// A snapshot back into files: DIR/ram, sparse, and DIR/state; or the one file that both came from, a migration stream.
// Beside them the disks that were stored with it, DIR/disk-NAME.img.
//
// Files get their final name last, so what stands under that name is whole. Lost pages are healed. When some cannot be,
// nothing is written unless the caller allows it; then those read as zero, and the result says exactly which they are.
import { createHash } from 'node:crypto';
import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageFile } from '../../introspect/memory/image-file.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { GuestDisk } from '../disk/guest-disks.js';
import { diskError } from '../host/disk-error.js';
import type { OnProgress } from '../flow/progress.js';
import { ramOf } from '../manifest/space/spaces.js';
import type { AddressSpace, Attachment, Manifest, RamSpace } from '../manifest/types.js';
import type { LostPacks } from '../loss/loss-reason.js';
import { findLostPacks } from '../pages/read-frames.js';
import { readSizeBytes } from '../pages/read-plan.js';
import { usedFrames } from '../manifest/used-frames.js';
import type { Store } from '../store/store.js';
import { isRamElsewhere } from '../vm/saved-state.js';
import { healLost, unhealable } from './heal-lost.js';
import { type Healing, nothingHealed } from './heal-ram.js';
import { framesOfPacks, type LostRun } from '../loss/lost-pages.js';
import { type DiskLoss, restoreLoss } from '../loss/snapshot-loss.js';
import { expectOutputFolder, makeOutputFolder } from './output-folder.js';
import { checkFree, createPart, partOf, placePart } from './part-file.js';
import { type StreamFormat, streamFormats, StreamRebuild } from './rebuild-stream.js';
import { diskTargets, restoredDisk, type RestoredDisk, writeDisks } from './restored-disk.js';
import { writeSpace } from './write-space.js';

export interface RestoreRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  /**
   * Made when missing. The files to be written must not exist in it: `ram` and `state`, or one named as the format, and
   * `disk-NAME.img` for each disk.
   */
  readonly folder: string;
  /**
   * What to write; RAM lies in the folder meanwhile, so a stream takes twice its room. `resumable`: raw or a stream, as
   * QEMU takes the device state back. Raw by default.
   */
  readonly format?: 'raw' | 'resumable' | StreamFormat | undefined;
  /** Write what can be had although pages are lost that cannot be healed. */
  readonly allowLost: boolean;
  /** Do so for every lost page: none is healed. */
  readonly noHeal?: boolean;
  /**
   * Take pages for lost that the store has and this machine cannot reach. Else such a page ends the restore with
   * UnreachableCopies, and nothing is written.
   */
  readonly healUnreachable?: boolean;
  /**
   * Disk images of the snapshot's moment, for the pages that were stored as what they hold. They go before the disks that
   * were stored with it, which hold the same.
   */
  readonly disks?: readonly GuestDisk[];
  /** Leave out the disks that were stored with it. */
  readonly withoutDisks?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface RestoreResult {
  /** False when pages remain lost and that was not allowed: then there is no file. */
  readonly isWritten: boolean;
  /** Undefined, when anything was written, where a stream has it or the snapshot is of disks alone. */
  readonly ramPath: string | undefined;
  readonly statePath: string | undefined;
  /** Set instead of both when a stream was asked for. */
  readonly streamPath: string | undefined;
  /** Empty when nothing was written. */
  readonly diskPaths: readonly RestoredDisk[];
  /** Of RAM. Empty when all came back. */
  readonly lost: readonly LostRun[];
  /** Of the disks that lost anything. It stops the restore as RAM that is not healed does. */
  readonly lostOnDisks: readonly DiskLoss[];
  /** What became of the lost pages. When no file was written, `unhealed` says why. */
  readonly healing: Healing;
}

const ramFile = 'ram';
const stateFile = 'state';

const nothingWritten = {
  isWritten: false,
  ramPath: undefined,
  statePath: undefined,
  streamPath: undefined,
  diskPaths: [],
};

export async function restoreSnapshot(request: RestoreRequest): Promise<RestoreResult> {
  const { manifest, folder, signal, format: wanted = 'raw' } = request;
  const ramPath = join(folder, ramFile);
  const statePath = join(folder, stateFile);
  const streamPath = join(folder, isStreamFormat(wanted) ? wanted : 'migration');
  const state = manifest.header.attachments.find(({ role }) => role === 'state');
  const space = ramOf(manifest);
  const targets = request.withoutDisks === true ? [] : diskTargets(manifest, folder);
  if (wanted !== 'raw' && (state === undefined || space === undefined)) {
    throw new ParsError(
      'unsupported',
      `this snapshot cannot be restored as ${wanted}: it has no ${space === undefined ? 'RAM' : 'device state'}; ` +
        'restore it as raw',
    );
  }
  // Before anything is read: a restore takes minutes, and its end would be the wrong time to say so.
  expectOutputFolder(folder);
  const rawPaths = [
    ...(space === undefined ? [] : [ramPath]),
    ...(state === undefined ? [] : [statePath]),
  ];
  const possible = [
    ...(isStreamFormat(wanted) ? [] : rawPaths),
    ...(wanted === 'raw' ? [] : [streamPath]),
  ];
  for (const path of [...possible, ...targets.map((target) => target.path)]) {
    await checkFree(path);
  }
  const wantedSpaces = [...(space === undefined ? [] : [space]), ...targets.map((to) => to.space)];
  const lostPacks = await lostPacksOf(request, wantedSpaces);
  const foreseen = restoreLoss(wantedSpaces, framesOfPacks(manifest.frames, lostPacks));
  const hopeless = unhealable(request, foreseen.lost);
  if (hopeless.length + foreseen.lostOnDisks.length > 0 && !request.allowLost) {
    return {
      ...nothingWritten,
      ...foreseen,
      healing: { ...nothingHealed, unhealed: hopeless },
    };
  }
  makeOutputFolder(folder);
  const ramPart = partOf(ramPath);
  const statePart = partOf(statePath);
  const streamPart = partOf(streamPath);
  // Only what this call has made: a part may belong to another restore.
  const made: string[] = [];
  let rebuild: StreamRebuild | undefined;
  try {
    // The device state first: it is small, and without it the RAM is not worth reading.
    if (state !== undefined) {
      const file = await createPart(statePart);
      made.push(statePart);
      await writeState(request, state, file, statePart);
    }
    const format =
      wanted !== 'resumable' ? wanted : isRamElsewhere(statePart) ? 'raw' : 'migration';
    if (format !== 'raw') {
      rebuild = StreamRebuild.open(statePart, format, manifest.header.imageSizeBytes);
    }
    // Disks before RAM, which may be healed from them.
    const lostOnDisks = await writeDisks({ ...request, lostPacks }, targets, (part) =>
      made.push(part),
    );
    if (lostOnDisks.length > 0 && !request.allowLost) {
      return { ...nothingWritten, lost: foreseen.lost, lostOnDisks, healing: nothingHealed };
    }
    let lost: readonly LostRun[] = [];
    if (space !== undefined) {
      const ram = await createPart(ramPart);
      made.push(ramPart);
      lost = await writeRam(request, space, ram, ramPart, lostPacks);
    }
    const healing = await healLost(request, targets, ramPart, lost);
    if (healing.unhealed.length > 0 && !request.allowLost) {
      return { ...nothingWritten, lost, lostOnDisks, healing };
    }
    if (rebuild !== undefined) {
      const file = await createPart(streamPart);
      made.push(streamPart);
      await writeStream(request, rebuild, ramPart, file, streamPart);
    }
    // What says that all is there comes last.
    const written = rebuild === undefined ? rawPaths.toReversed() : [streamPath];
    for (const path of [...targets.map((target) => target.path), ...written]) {
      await placePart(path);
    }
    const diskPaths = targets.map(restoredDisk);
    if (rebuild !== undefined) {
      const result = { isWritten: true, streamPath, diskPaths };
      return { ...nothingWritten, ...result, lost, lostOnDisks, healing };
    }
    return {
      isWritten: true,
      ramPath: space === undefined ? undefined : ramPath,
      statePath: state === undefined ? undefined : statePath,
      streamPath: undefined,
      diskPaths,
      lost,
      lostOnDisks,
      healing,
    };
  } catch (error) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the restore was stopped; no file was left', {
        cause: error,
      });
    }
    throw error;
  } finally {
    rebuild?.close();
    await Promise.all(made.map((part) => rm(part, { force: true })));
  }
}

function isStreamFormat(format: NonNullable<RestoreRequest['format']>): format is StreamFormat {
  return (streamFormats as readonly string[]).includes(format);
}

/** Of RAM and the disks that are wanted. */
async function lostPacksOf(
  { store, manifest, healUnreachable, signal }: RestoreRequest,
  spaces: readonly AddressSpace[],
): Promise<LostPacks> {
  const wanted = usedFrames(manifest.frames, spaces);
  return await findLostPacks({ store, manifest, wanted, healUnreachable, signal });
}

async function writeRam(
  { store, manifest, healUnreachable, signal, onProgress }: RestoreRequest,
  space: RamSpace,
  file: FileHandle,
  path: string,
  lostPacks: LostPacks,
): Promise<readonly LostRun[]> {
  try {
    const lostFrames = await writeSpace({
      store,
      manifest,
      space,
      lostPacks,
      file,
      path,
      sizeBytes: manifest.header.imageSizeBytes,
      phase: 'reading pages',
      healUnreachable,
      signal,
      onProgress,
    });
    return restoreLoss([space], lostFrames).lost;
  } finally {
    await file.close();
  }
}

async function writeState(
  { store, signal }: RestoreRequest,
  state: Attachment,
  file: FileHandle,
  path: string,
): Promise<void> {
  const hash = createHash('sha256');
  try {
    for (let at = 0; at < state.sizeBytes; at += readSizeBytes) {
      const length = Math.min(readSizeBytes, state.sizeBytes - at);
      const bytes = await store.read(state.name, at, length, { signal });
      hash.update(bytes);
      await file.writeFile(bytes).catch((error: unknown) => {
        throw diskError(error, `cannot write ${path}`);
      });
    }
  } finally {
    await file.close();
  }
  if (!hash.digest().equals(state.sha256)) {
    throw new ParsError(
      'corrupt',
      `the device state ${state.name} does not have the SHA-256 that the manifest states`,
    );
  }
}

async function writeStream(
  { manifest, signal, onProgress }: RestoreRequest,
  rebuild: StreamRebuild,
  ramPath: string,
  file: FileHandle,
  path: string,
): Promise<void> {
  const ram = ImageFile.open(ramPath);
  const totalBytes = manifest.header.imageSizeBytes;
  let doneBytes = 0;
  try {
    for (const piece of rebuild.content(ram)) {
      signal?.throwIfAborted();
      await file.writeFile(piece).catch((error: unknown) => {
        throw diskError(error, `cannot write ${path}`);
      });
      doneBytes = Math.min(doneBytes + piece.length, totalBytes);
      onProgress?.({ phase: 'writing the stream', doneBytes, totalBytes });
    }
  } finally {
    ram.close();
    await file.close();
  }
}
