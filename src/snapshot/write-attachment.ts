// What belongs to a snapshot beside its pages into a store, a file of its own each: the device state, from a file that
// was given or from the image, and the machine's command line.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ParsError } from '../../introspect/pars-error.js';
import type { Attachment } from '../manifest/types.js';
import { defaultBlockSizeBytes } from '../pack/layout.js';
import { copies } from '../store/redundancy.js';
import type { Store } from '../store/store.js';

/** Device state to be written; that of an image (introspect/memory/memory-image.ts) is one too. */
export interface StateSource {
  readonly sizeBytes: number;
  /** The bytes of the state from the beginning, at every call. */
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Throws `image-invalid` when there is no such file. */
export async function stateOfFile(path: string): Promise<StateSource> {
  const unreadable = (reason: string, cause?: unknown): ParsError =>
    new ParsError('image-invalid', `cannot read the device state ${path}: ${reason}`, { cause });
  const file = await stat(path).catch((error: unknown) => {
    throw unreadable(reasonOf(error), error);
  });
  if (!file.isFile()) {
    throw unreadable('expected a regular file');
  }
  return {
    sizeBytes: file.size,
    async *content() {
      const pieces = createReadStream(path)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      try {
        for (;;) {
          const piece = await pieces.next().catch((error: unknown) => {
            throw unreadable(reasonOf(error), error);
          });
          if (piece.done === true) {
            return;
          }
          yield piece.value;
        }
      } finally {
        await pieces.return?.();
      }
    },
  };
}

export async function writeAttachment(
  store: Store,
  role: string,
  name: string,
  source: StateSource,
  copyCount: number,
  signal: AbortSignal | undefined,
): Promise<Attachment> {
  let hash = createHash('sha256');
  const content = async function* (): AsyncGenerator<Uint8Array> {
    hash = createHash('sha256');
    for await (const piece of source.content()) {
      hash.update(piece);
      yield piece;
    }
  };
  const sizeBytes = await store.write(name, content, {
    redundancy: copies(copyCount),
    // Whole in one block, like a pack.
    blockSizeBytes: Math.max(defaultBlockSizeBytes, Math.ceil(source.sizeBytes / 512) * 512),
    nameTells: 'nothing',
    signal,
  });
  return { role, name, sizeBytes, sha256: hash.digest() };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
