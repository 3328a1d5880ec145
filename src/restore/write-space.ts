// The pages of one space into an open file, each at its place; what is zero stays a hole.
import type { FileHandle } from 'node:fs/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from '../host/disk-error.js';
import type { OnProgress } from '../flow/progress.js';
import type { AddressSpace, Manifest } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import type { LostFrames, LostPacks } from '../loss/loss-reason.js';
import { PlacesOfFrames } from '../pages/places-of-frames.js';
import { readFrames } from '../pages/read-frames.js';
import { framesSizeBytes, usedFrames } from '../manifest/used-frames.js';
import type { Store } from '../store/store.js';

export interface WriteSpaceRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  readonly space: AddressSpace;
  readonly lostPacks: LostPacks;
  /** As a restore is asked (restore-snapshot.ts). */
  readonly healUnreachable?: boolean | undefined;
  readonly file: FileHandle;
  /** Of the file, for messages. */
  readonly path: string;
  /** What the file is to have in the end; pages beyond are cut off. */
  readonly sizeBytes: number;
  /** For progress. */
  readonly phase: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The frames that could not be read, whose pages are holes in the file. */
export async function writeSpace(request: WriteSpaceRequest): Promise<LostFrames> {
  const { store, manifest, space, lostPacks, file, path, sizeBytes, signal } = request;
  const wanted = usedFrames(manifest.frames, [space]);
  const placesOfFrames = new PlacesOfFrames(space.places, manifest.frames.pack.length);
  const totalBytes = framesSizeBytes(manifest.frames, wanted);
  let doneBytes = 0;
  const pool = createFramePool();
  const giveSize = async (): Promise<void> => {
    await file.truncate(sizeBytes).catch((error: unknown) => {
      throw diskError(error, `cannot give ${path} its ${sizeBytes} bytes`);
    });
  };
  try {
    // Pages of zeroes are not written: the file keeps holes there.
    await giveSize();
    const lostFrames = await readFrames(
      {
        store,
        manifest,
        wanted,
        take: (stored, frames) =>
          pool.write(stored, placesOfFrames.of(frames), file.fd).catch((error: unknown) => {
            // The threads know the file by its descriptor only.
            throw error instanceof ParsError && error.code !== 'corrupt'
              ? new ParsError(error.code, `cannot write ${path}: ${error.message}`, {
                  cause: error,
                })
              : error;
          }),
        onRead: (readBytes) => {
          doneBytes += readBytes;
          request.onProgress?.({ phase: request.phase, doneBytes, totalBytes });
        },
        healUnreachable: request.healUnreachable,
        signal,
      },
      lostPacks,
    );
    // The last page may be longer than what is left of the file.
    await giveSize();
    return lostFrames;
  } finally {
    await pool.close();
  }
}
