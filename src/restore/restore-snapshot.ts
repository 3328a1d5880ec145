// A snapshot back into files: DIR/ram, sparse, and DIR/state; or the one file that both came from, a migration stream.
//
// Files get their final name last, so what stands under that name is whole. When pages are lost nothing is written
// unless the caller allows it; then the lost pages read as zero, and the result says exactly which they are.
import { createHash } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageFile } from '../../introspect/memory/image-file.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { OnProgress } from '../flow/progress.js';
import type { Attachment, Manifest } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import type { Store } from '../store/store.js';
import { type LostRun, lostRuns, type LossReason } from './lost-pages.js';
import { diskError } from '../flow/disk-error.js';
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
  /** Write what can be had although pages are lost. */
  readonly allowLost: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface RestoreResult {
  /** Undefined when pages are lost and that was not allowed: then no file was written. */
  readonly ramPath: string | undefined;
  readonly statePath: string | undefined;
  /** Set instead of both when a stream was asked for. */
  readonly streamPath: string | undefined;
  /** Empty when all came back. */
  readonly lost: readonly LostRun[];
}

const ramFile = 'ram';
const stateFile = 'state';

const nothingWritten = { ramPath: undefined, statePath: undefined, streamPath: undefined };

export async function restoreSnapshot(request: RestoreRequest): Promise<RestoreResult> {
  const { manifest, folder, allowLost, signal, format = 'raw' } = request;
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
  if (lostPacks.size > 0 && !allowLost) {
    const lostFrames = new Map<number, LossReason>();
    space.frames.pack.forEach((pack, frame) => {
      if (lostPacks.has(pack)) {
        lostFrames.set(frame, 'lost');
      }
    });
    return { ...nothingWritten, lost: lostRuns(space, lostFrames) };
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
    if (lost.length > 0 && !allowLost) {
      return { ...nothingWritten, lost };
    }
    if (rebuild !== undefined) {
      const file = await createPart(streamPart);
      made.push(streamPart);
      await writeStream(request, rebuild, ramPart, file, streamPart);
      await place(streamPart, streamPath);
      return { ...nothingWritten, streamPath, lost };
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
    return lostRuns(space, lostFrames);
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
