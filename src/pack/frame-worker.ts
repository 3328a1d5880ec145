// The jobs that run in worker threads, started by frame-pool.ts through the `#frame-worker` import. Thin on purpose: the
// work is done by pure functions that need no thread; here only the bytes change hands without a copy.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { readFully } from '../../introspect/memory/read-fully.js';
import { lz4BlockBytes } from './codec/lz4-block.js';
import { decodePages } from './decode.js';
import { encodeFrames } from './encode.js';
import { type Reply, replyOf } from './frame-reply.js';
import { readRequestedPages, requestedSizeBytes } from './read-pages.js';
import type { FileBatch, PageBatch, PlaceColumns, StoredFrames } from './types.js';
import { writeStoredFrames } from './write-pages.js';

// A job leaves a few MiB of ArrayBuffers on a heap of a few hundred KiB, so the collector has no reason of its own to
// run before tens of MiB per thread have piled up. A scavenge of so small a heap takes some 0.2 ms per MiB of pages, and
// is what keeps an upload's memory bounded.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;

export interface WriteJob {
  readonly stored: StoredFrames;
  /** Where the pages of the frames belong; `frame` is an index among `stored.frames`. */
  readonly places: PlaceColumns;
  /** File descriptors belong to the process, so one opened by the main thread is good here. */
  readonly fd: number;
}

/** Answers with Reply<FrameBatch>. */
export function encodeBatch(batch: PageBatch): unknown {
  collect({ type: 'minor' });
  const reply = replyOf(() => encodeFrames(batch));
  return withBytes(reply, reply.kind === 'done' ? reply.value.bytes : undefined);
}

/** Answers with Reply<FrameBatch>. */
export function encodeFileBatch({ frames, fd }: FileBatch): unknown {
  collect({ type: 'minor' });
  const reply = replyOf(() => {
    const bytes = scratch(requestedSizeBytes(frames));
    readRequestedPages(frames, bytes, (imageOffset, target) => {
      readFully(fd, imageOffset, target, 'the image');
    });
    return encodeFrames({ frames, bytes });
  });
  return withBytes(reply, reply.kind === 'done' ? reply.value.bytes : undefined);
}

/** Answers with the number of bytes. */
export function lz4Block(bytes: Uint8Array): Reply<number> {
  collect({ type: 'minor' });
  return replyOf(() => lz4BlockBytes(bytes));
}

/** Answers with Reply<Uint8Array>. */
export function decodeBatch(stored: StoredFrames): unknown {
  collect({ type: 'minor' });
  const reply = replyOf(() => decodePages(stored));
  return withBytes(reply, reply.kind === 'done' ? reply.value : undefined);
}

/** Answers with the number of pages written. */
export function writeBatch({ stored, places, fd }: WriteJob): Reply<number> {
  collect({ type: 'minor' });
  return replyOf(() => writeStoredFrames(stored, places, fd));
}

let pages = new Uint8Array(0);

/** A job's pages, in memory that is used again: making it anew would cost as much as reading into it. */
function scratch(sizeBytes: number): Uint8Array {
  if (pages.length < sizeBytes) {
    pages = new Uint8Array(sizeBytes);
  }
  return pages.subarray(0, sizeBytes);
}

/** Marks the bytes within a reply to be moved to the main thread rather than copied. */
function withBytes(reply: Reply<unknown>, bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) {
    return reply;
  }
  return move({ [transferableSymbol]: [bytes.buffer], [valueSymbol]: reply });
}
