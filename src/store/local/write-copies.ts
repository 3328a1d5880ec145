// Streams content to several disks at once. The content is gathered in one buffer, so that memory is bounded and disks
// see large writes whatever the chunks are, and the checksums are taken from what was handed in, not from what a disk
// gave back.

import { ParsError } from '../../../introspect/pars-error.js';
import { checkNotAborted, chunksUntilAborted } from '../abort.js';
import type { CopiesToWrite } from '../check-write.js';
import { placementOrder } from '../placement.js';
import { ChunkChecksummer } from './chunk-checksum.js';
import { CopyWriter } from './copy.js';
import type { Disk } from './disks/disk.js';
import { toParsError } from './node-error.js';

const bufferSizeBytes = 1024 * 1024;

/**
 * One copy on each of the first disks in placement order that take it: as many as wanted, or as there are. A disk that
 * fails is replaced by the next, and the content is streamed anew, since it is not kept.
 */
export async function writeToFittingDisks(
  present: readonly Disk[],
  copyId: string,
  name: string,
  content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CopiesToWrite,
): Promise<{ readonly disks: readonly Disk[]; readonly sizeBytes: number }> {
  const order = placementOrder(
    name,
    present.map((disk) => disk.marker.diskNumber),
  );
  let candidates = order.flatMap((diskNumber) =>
    present.filter((disk) => disk.marker.diskNumber === diskNumber),
  );
  const failures: unknown[] = [];
  for (;;) {
    const disks = candidates.slice(0, options.copyCount);
    if (disks.length === 0) {
      const full = failures.find((it) => it instanceof ParsError && it.code === 'no-space');
      throw full ?? failures[0];
    }
    const outcome = await writeCopies(disks, copyId, name, content, options);
    if (outcome.kind === 'written') {
      return { disks, sizeBytes: outcome.sizeBytes };
    }
    failures.push(...outcome.failures.values());
    candidates = candidates.filter((disk) => !outcome.failures.has(disk));
  }
}

type WriteOutcome =
  | { readonly kind: 'written'; readonly sizeBytes: number }
  /** Disks that failed, and why. Nothing is left on the others; the content may be written again without these. */
  | { readonly kind: 'disks-failed'; readonly failures: ReadonlyMap<Disk, unknown> };

/**
 * Writes one copy to each of `disks`, or none. Throws `cancelled`, `usage` when the content is longer than the block,
 * and whatever the content throws, unchanged.
 */
async function writeCopies(
  disks: readonly Disk[],
  copyId: string,
  name: string,
  content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CopiesToWrite,
): Promise<WriteOutcome> {
  const doing = `writing ${name}`;
  const writers = disks.map((disk) => new CopyWriter(disk, copyId));
  const failures = new Map<Disk, unknown>();
  const onEachDisk = async (act: (writer: CopyWriter) => Promise<void>): Promise<void> => {
    await Promise.all(
      writers.map(async (writer) => {
        try {
          await act(writer);
        } catch (error) {
          failures.set(writer.disk, toParsError(error, doing));
        }
      }),
    );
    for (const failure of failures.values()) {
      throw failure;
    }
  };

  try {
    const buffer = new Uint8Array(bufferSizeBytes);
    const checksummer = new ChunkChecksummer();
    let filledBytes = 0;
    let sizeBytes = 0;
    const flush = async (): Promise<void> => {
      const filled = buffer.subarray(0, filledBytes);
      checksummer.update(filled);
      await onEachDisk((writer) => writer.append(filled));
      filledBytes = 0;
    };

    await onEachDisk((writer) => writer.open());
    for await (const chunk of chunksUntilAborted(content(), options.signal, doing)) {
      sizeBytes += chunk.length;
      if (sizeBytes > options.blockSizeBytes) {
        throw new ParsError(
          'usage',
          `${name}: a file must fit into its block of ${options.blockSizeBytes} bytes, found ${sizeBytes} or more`,
        );
      }
      for (let takenBytes = 0; takenBytes < chunk.length;) {
        const piece = chunk.subarray(takenBytes, takenBytes + bufferSizeBytes - filledBytes);
        buffer.set(piece, filledBytes);
        filledBytes += piece.length;
        takenBytes += piece.length;
        if (filledBytes === bufferSizeBytes) {
          await flush();
        }
      }
    }
    await flush();
    const checksumFile = checksummer.encode();
    await onEachDisk((writer) => writer.finish(checksumFile));
    checkNotAborted(options.signal, doing);
    return { kind: 'written', sizeBytes };
  } catch (error) {
    // A disk that failed may refuse this too; the next open sweeps what is left there.
    await Promise.allSettled(writers.map((writer) => writer.discard()));
    if (failures.size > 0) {
      return { kind: 'disks-failed', failures };
    }
    throw error;
  }
}
