// A snapshot back into files: DIR/ram, sparse, and DIR/state; or the one file that both came from, a migration stream.
//
// Files get their final name last, so what stands under that name is whole. Lost pages are healed. When some cannot be,
// nothing is written unless the caller allows it; then those read as zero, and the result says exactly which they are.
import { createHash } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageFile } from '../../introspect/memory/image-file.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { GuestDisk } from '../disk/guest-disks.js';
import { diskError } from '../flow/disk-error.js';
import type { OnProgress } from '../flow/progress.js';
import type { AddressSpace, Attachment, Manifest } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import type { Store } from '../store/store.js';
import { type Healing, healRam, nothingHealed } from './heal-ram.js';
import { healingOutlook, type UnhealedRun } from './healing-outlook.js';
import { framesOfPacks, type LostRun, lostRuns, mergeRuns, notStoredRuns } from './lost-pages.js';
import { findLostPacks, readFrames } from './read-frames.js';
import { readSizeBytes } from './read-plan.js';
import { type StreamFormat, StreamRebuild } from './rebuild-stream.js';

export interface RestoreRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  /** Made when missing. The files to be written must not exist in it: `ram` and `state`, or one named as the format. */
  readonly folder: string;
  /** What to write; RAM lies in the folder meanwhile, so a stream takes twice its room. Raw by default. */
  readonly format?: 'raw' | StreamFormat | undefined;
  /** Write what can be had although pages are lost that cannot be healed. */
  readonly allowLost: boolean;
  /** Do so for every lost page: none is healed. */
  readonly noHeal?: boolean;
  /** Disk images of the snapshot's moment, for the pages that were stored as what they hold. */
  readonly disks?: readonly GuestDisk[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface RestoreResult {
  /** Undefined when pages remain lost and that was not allowed: then no file was written. */
  readonly ramPath: string | undefined;
  readonly statePath: string | undefined;
  /** Set instead of both when a stream was asked for. */
  readonly streamPath: string | undefined;
  /** Empty when all came back. */
  readonly lost: readonly LostRun[];
  /** What became of the lost pages. When no file was written, `unhealed` says why. */
  readonly healing: Healing;
}

const ramFile = 'ram';
const stateFile = 'state';

const nothingWritten = { ramPath: undefined, statePath: undefined, streamPath: undefined };

export async function restoreSnapshot(request: RestoreRequest): Promise<RestoreResult> {
  const { manifest, folder, signal, format = 'raw' } = request;
  const ramPath = join(folder, ramFile);
  const statePath = join(folder, stateFile);
  const streamPath = join(folder, format);
  const state = manifest.header.attachments.find(({ role }) => role === 'state');
  const space = manifest.spaces[0];
  if (format !== 'raw' && state === undefined) {
    throw new ParsError(
      'unsupported',
      `this snapshot cannot be restored as ${format}: it has no device state; restore it as raw`,
    );
  }
  // Before anything is read: a restore takes minutes, and its end would be the wrong time to say so.
  const written =
    format !== 'raw' ? [streamPath] : state === undefined ? [ramPath] : [ramPath, statePath];
  for (const path of written) {
    await checkFree(path);
  }
  const lostPacks = await findLostPacks({ ...request, packs: manifest.header.packs, space });
  const foreseen = foreseenLoss(space, lostPacks);
  const hopeless = unhealable(request, foreseen);
  if (hopeless.length > 0 && !request.allowLost) {
    return { ...nothingWritten, lost: foreseen, healing: { ...nothingHealed, unhealed: hopeless } };
  }
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw diskError(error, `cannot make the folder ${folder}`);
  });
  const ramPart = `${ramPath}.part`;
  const statePart = `${statePath}.part`;
  const streamPart = `${streamPath}.part`;
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
    if (format !== 'raw') {
      rebuild = StreamRebuild.open(statePart, format, manifest.header.imageSizeBytes);
    }
    const ram = await createPart(ramPart);
    made.push(ramPart);
    const lost = await writeRam(request, ram, ramPart, lostPacks);
    const healing = await healLost(request, ramPart, lost);
    if (healing.unhealed.length > 0 && !request.allowLost) {
      return { ...nothingWritten, lost, healing };
    }
    if (rebuild !== undefined) {
      const file = await createPart(streamPart);
      made.push(streamPart);
      await writeStream(request, rebuild, ramPart, file, streamPart);
      await place(streamPart, streamPath);
      return { ...nothingWritten, streamPath, lost, healing };
    }
    if (state !== undefined) {
      await place(statePart, statePath);
    }
    await place(ramPart, ramPath);
    return {
      ramPath,
      statePath: state === undefined ? undefined : statePath,
      streamPath: undefined,
      lost,
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

/** What is known to be lost before anything is read. */
function foreseenLoss(space: AddressSpace, lostPacks: ReadonlySet<number>): readonly LostRun[] {
  return mergeRuns(lostRuns(space, framesOfPacks(space, lostPacks)), notStoredRuns(space));
}

/** The pages that a restore will certainly lack. */
function unhealable(
  { manifest, noHeal, disks = [] }: RestoreRequest,
  lost: readonly LostRun[],
): readonly UnhealedRun[] {
  if (noHeal === true) {
    return lost.map((run) => ({ ...run, why: 'healing was not wanted' }));
  }
  const { none, disk } = healingOutlook(manifest.spaces[0], manifest.header, lost);
  const names = manifest.spaces[0].diskHeld?.disks.map(({ name }) => name).join(', ') ?? 'unnamed';
  const withoutDisk = disks.length > 0 ? [] : disk;
  return [
    ...none,
    ...withoutDisk.map((run) => ({
      ...run,
      why: `only the disk ${names} of the snapshot's moment has their bytes: give it with --disk`,
    })),
  ].sort((a, b) => a.firstPage - b.firstPage);
}

async function healLost(
  request: RestoreRequest,
  ramPath: string,
  lost: readonly LostRun[],
): Promise<Healing> {
  if (lost.length === 0) {
    return nothingHealed;
  }
  const { manifest, disks = [], signal } = request;
  if (request.noHeal === true) {
    return { ...nothingHealed, unhealed: unhealable(request, lost) };
  }
  const outlook = healingOutlook(manifest.spaces[0], manifest.header, lost);
  return await healRam({ ramPath, space: manifest.spaces[0], outlook, disks, signal });
}

async function checkFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    const problem = diskError(error, `cannot look at ${path}`);
    if (problem.code === 'not-found') {
      return undefined;
    }
    throw problem;
  });
  if (found !== undefined) {
    throw new ParsError(
      'already-exists',
      `${path} is there already, and nothing was overwritten; remove it, or restore to another folder`,
    );
  }
}

async function createPart(path: string): Promise<FileHandle> {
  return await open(path, 'wx', 0o600).catch((error: unknown) => {
    const problem = diskError(error, `cannot create ${path}`);
    throw problem.code === 'already-exists'
      ? new ParsError(
          'already-exists',
          `${path} is there already: another restore is writing it, or one was killed; then remove it`,
          { cause: error },
        )
      : problem;
  });
}

async function writeRam(
  { store, manifest, signal, onProgress }: RestoreRequest,
  file: FileHandle,
  path: string,
  lostPacks: ReadonlySet<number>,
): Promise<readonly LostRun[]> {
  const space = manifest.spaces[0];
  const { packs } = manifest.header;
  const totalBytes = space.frames.length.reduce((sum, length) => sum + length, 0);
  let doneBytes = 0;
  const pool = createFramePool();
  try {
    // Pages of zeroes are not written: the file keeps holes there.
    await file.truncate(manifest.header.imageSizeBytes).catch((error: unknown) => {
      throw diskError(error, `cannot give ${path} its ${manifest.header.imageSizeBytes} bytes`);
    });
    const lostFrames = await readFrames(
      {
        store,
        packs,
        space,
        spaceIndex: 0,
        take: (stored) =>
          pool.write(stored, file.fd).catch((error: unknown) => {
            // The threads know the file by its descriptor only.
            throw error instanceof ParsError && error.code !== 'corrupt'
              ? new ParsError(error.code, `cannot write ${path}: ${error.message}`, {
                  cause: error,
                })
              : error;
          }),
        onRead: (sizeBytes) => {
          doneBytes += sizeBytes;
          onProgress?.({ phase: 'reading pages', doneBytes, totalBytes });
        },
        signal,
      },
      lostPacks,
    );
    return mergeRuns(lostRuns(space, lostFrames), notStoredRuns(space));
  } finally {
    await pool.close();
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

async function place(part: string, path: string): Promise<void> {
  await rename(part, path).catch((error: unknown) => {
    throw diskError(error, `cannot name ${path}`);
  });
}
