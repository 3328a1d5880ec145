// The jobs that run in worker threads, started by frame-pool.ts through the `#frame-worker` import. Thin on purpose: the
// work is done by pure functions that need no thread. Bytes lie in memory that all threads share, so none is copied or moved here.
import { readFully } from '../../introspect/memory/read-fully.js';
import type { FrameMethod } from './codec/codec-choice.js';
import { lz4BlockBytes } from './codec/lz4/block-size.js';
import { checkStoredFrames } from './decode.js';
import { encodeFrames } from './encode.js';
import { type Reply, replyOf } from './frame-reply.js';
import { readFramePages } from './read-pages.js';
import type { FileBatch, FrameBatch, PageBatch, PlaceColumns, StoredFrames } from './types.js';
import { writeStoredFrames } from './write-pages.js';

/** A batch, where its frames go, and what they are packed by. */
export interface EncodeJob<Batch> {
  readonly batch: Batch;
  readonly into: Uint8Array;
  readonly methods: readonly FrameMethod[];
}

export interface WriteJob {
  readonly stored: StoredFrames;
  /** Where the pages of the frames belong; `frame` is an index among `stored.frames`. */
  readonly places: PlaceColumns;
  /** File descriptors belong to the process, so one opened by the main thread is good here. */
  readonly fd: number;
}

export function encodeBatch({
  batch: { frames, bytes },
  into,
  methods,
}: EncodeJob<PageBatch>): Reply<FrameBatch> {
  let at = 0;
  return replyOf(() =>
    encodeFrames(
      frames,
      into,
      (_, pages) => {
        pages.set(bytes.subarray(at, at + pages.length));
        at += pages.length;
      },
      methods,
    ),
  );
}

export function encodeFileBatch({
  batch: { frames, fd },
  into,
  methods,
}: EncodeJob<FileBatch>): Reply<FrameBatch> {
  return replyOf(() =>
    encodeFrames(
      frames,
      into,
      (index, pages) => {
        readFramePages(frames, index, pages, (imageOffset, target) => {
          readFully(fd, imageOffset, target, 'the image');
        });
      },
      methods,
    ),
  );
}

/** Answers with the number of bytes. */
export function lz4Block(bytes: Uint8Array): Reply<number> {
  return replyOf(() => lz4BlockBytes(bytes));
}

/** Answers with the number of pages. */
export function checkBatch(stored: StoredFrames): Reply<number> {
  return replyOf(() => checkStoredFrames(stored));
}

/** Answers with the number of pages written. */
export function writeBatch({ stored, places, fd }: WriteJob): Reply<number> {
  return replyOf(() => writeStoredFrames(stored, places, fd));
}
