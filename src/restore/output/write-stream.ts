// A rebuilt stream into the part of a file, from the RAM that a restore has written.
import { ImageFile } from '../../../introspect/memory/image-file.js';
import { diskError } from '../../host/disk-error.js';
import type { RestoreRequest } from '../restore-request.js';
import { type PartFiles, partOf } from './part-file.js';
import type { StreamRebuild } from './rebuild-stream.js';

export async function writeStream(
  { manifest, signal, onProgress }: RestoreRequest,
  rebuild: StreamRebuild,
  ramPath: string,
  path: string,
  parts: PartFiles,
): Promise<void> {
  const file = await parts.create(path);
  try {
    const ram = ImageFile.open(ramPath);
    try {
      const totalBytes = manifest.header.imageSizeBytes;
      let doneBytes = 0;
      for (const piece of rebuild.content(ram)) {
        signal?.throwIfAborted();
        await file.writeFile(piece).catch((error: unknown) => {
          throw diskError(error, `cannot write ${partOf(path)}`);
        });
        doneBytes = Math.min(doneBytes + piece.length, totalBytes);
        onProgress?.({ phase: 'writing the stream', doneBytes, totalBytes });
      }
    } finally {
      ram.close();
    }
  } finally {
    await file.close();
  }
}
