// The pages of one space into the part of a file, each at its place; what is zero stays a hole.
import type { FileHandle } from 'node:fs/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import type { LostFrames, LostPacks } from '../../loss/loss-reason.js';
import { framesSizeBytes, usedFrames } from '../../manifest/used-frames.js';
import type { FramePool } from '../../pack/frame-pool.js';
import { PlacesOfFrames } from '../../pages/places-of-frames.js';
import { readFrames } from '../../pages/read-frames.js';
import type { RestoreRequest } from '../restore-request.js';
import type { SpaceTarget } from '../space-target.js';
import { type PartFiles, partOf } from './part-file.js';

/** The frames that could not be read, whose pages are holes in the file. */
export async function writeSpace(
  request: RestoreRequest,
  target: SpaceTarget,
  lostPacks: LostPacks,
  parts: PartFiles,
  pool: FramePool,
): Promise<LostFrames> {
  const file = await parts.create(target.path);
  try {
    return await writePages(request, target, lostPacks, file, pool);
  } finally {
    await file.close();
  }
}

async function writePages(
  { store, manifest, healUnreachable, signal, onProgress }: RestoreRequest,
  { space, path: finalPath, sizeBytes, phase }: SpaceTarget,
  lostPacks: LostPacks,
  file: FileHandle,
  pool: FramePool,
): Promise<LostFrames> {
  const path = partOf(finalPath);
  const wanted = usedFrames(manifest.frames, [space]);
  const placesOfFrames = new PlacesOfFrames(space.places, manifest.frames.pack.length);
  const totalBytes = framesSizeBytes(manifest.frames, wanted);
  let doneBytes = 0;
  const giveSize = async (): Promise<void> => {
    await file.truncate(sizeBytes).catch((error: unknown) => {
      throw diskError(error, `cannot give ${path} its ${sizeBytes} bytes`);
    });
  };
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
        onProgress?.({ phase, doneBytes, totalBytes });
      },
      healUnreachable,
      signal,
    },
    lostPacks,
  );
  // The last page may be longer than what is left of the file.
  await giveSize();
  return lostFrames;
}
