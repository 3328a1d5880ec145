// The job of a worker thread that owns a pack from its pages to its sink: reads, hashes and encodes them in the sink's own memory.
// Started by pack-in-thread.ts through the `#send-pack` import. Only columns cross to the main thread.
import { setImmediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { readFully } from '../../introspect/memory/read-fully.js';
import { type ErrorCode, ParsError } from '../../introspect/pars-error.js';
import { BusyTime } from '../flow/busy-time.js';
import { chosenCodec } from '../pack/codec/chosen-codec.js';
import type { CodecChoice } from '../pack/codec/codec-choice.js';
import type { PackedRun, RunCodec } from '../pack/codec/run-codec.js';
import { encodeFrames, encodePackHeader, framesRoomBytes } from '../pack/encode.js';
import { windowSizeBytes } from '../pack/layout.js';
import { readFramePages, requestedSizeBytes } from '../pack/read-pages.js';
import { splitFrames } from '../pack/split-frames.js';
import type { FrameBatch, FrameRequests } from '../pack/types.js';
import type { Sink, SinkModule, SinkPlan } from '../store/threads/sink.js';
import { joinFrames, shiftFrames, type WrittenFrames } from './merge-frames.js';

export interface SendPackJob {
  readonly frames: FrameRequests;
  /** The open image. */
  readonly fd: number;
  readonly codec: CodecChoice;
  /** Threads that send packs beside each other. */
  readonly threadCount: number;
  /** The snapshot: packs of one share what a thread has learnt of the store. */
  readonly snapshot: string;
  readonly sink: SinkPlan;
  /** Any message to it ends the job; from it come bytes of pages that went into the sink since the message before. */
  readonly port: MessagePort;
}

export interface SentPack {
  readonly sizeBytes: number;
  readonly written: WrittenFrames;
  /** Hashes of all its pages. */
  readonly hashes: Uint8Array;
}

export type SendPackReply =
  | { readonly kind: 'sent'; readonly pack: SentPack }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      /** What the sink says of it, where it is the sink's. */
      readonly sink: { readonly detail: unknown } | undefined;
    };

/** Pages of a batch, of which there are a few to a packet. */
const batchSizeBytes = windowSizeBytes;
const bytesPerMessage = 4 * 2 ** 20;

/** What this thread packs by, and when it is at a pack at all. */
let packing: { readonly snapshot: string; readonly codec: RunCodec } | undefined;
const taking = new BusyTime();

/** Rejects for a bug only. */
export async function sendPack(job: SendPackJob): Promise<SendPackReply> {
  const { port, sink: plan } = job;
  const stop = new AbortController();
  port.on('message', () => {
    stop.abort();
  });
  const { openSink } = (await import(plan.module)) as SinkModule;
  const sink = openSink(plan.settings, stop.signal);
  // A failure that begins in what makes the content, and not in the sink.
  const making = { failed: false };
  taking.begin(performance.now());
  try {
    return { kind: 'sent', pack: await fill(sink, job, stop.signal, making) };
  } catch (error) {
    if (!(error instanceof ParsError)) {
      throw error;
    }
    const { code, message } = error;
    const detail = making.failed ? undefined : { detail: sink.detailOf(error) };
    return { kind: 'failed', code, message, sink: detail };
  } finally {
    taking.end(performance.now());
    sink.close();
    port.close();
  }
}

async function fill(
  sink: Sink,
  { frames, fd, codec: choice, snapshot, threadCount, port }: SendPackJob,
  signal: AbortSignal,
  making: { failed: boolean },
): Promise<SentPack> {
  const codec = codecOf(snapshot, choice, threadCount);
  const header = encodePackHeader();
  (await sink.room(header.length)).set(header);
  await sink.took(header.length);
  let sizeBytes = header.length;
  const written: WrittenFrames[] = [];
  const hashes: Uint8Array[] = [];
  let untoldBytes = 0;
  for (const batch of splitFrames(frames, batchSizeBytes)) {
    const room = await sink.room(framesRoomBytes(batch));
    const methods = codec.next();
    let made: FrameBatch;
    try {
      made = encodeFrames(
        batch,
        room,
        (index, pages) => {
          readFramePages(batch, index, pages, (imageOffset, target) => {
            readFully(fd, imageOffset, target, 'the image');
          });
        },
        methods,
      );
    } catch (error) {
      making.failed = true;
      throw error;
    }
    const pagesBytes = requestedSizeBytes(batch);
    codec.packed(timesOf({ ...made.packing, methods, pagesBytes }, threadCount));
    written.push(shiftFrames(made, sizeBytes));
    hashes.push(made.hashes);
    sizeBytes += made.bytes.length;
    await sink.took(made.bytes.length);
    noteTaken(codec, made.bytes.length * threadCount, made.packing.seconds);
    untoldBytes += pagesBytes;
    if (untoldBytes >= bytesPerMessage) {
      port.postMessage(untoldBytes);
      untoldBytes = 0;
      // Another pack of this thread may have acks to hear.
      await setImmediate();
    }
    if (signal.aborted) {
      throw new ParsError('cancelled', 'the pack was stopped by the caller');
    }
  }
  await sink.finish();
  return {
    sizeBytes,
    written: joinFrames(written),
    hashes: new Uint8Array(Buffer.concat(hashes)),
  };
}

function codecOf(snapshot: string, choice: CodecChoice, threadCount: number): RunCodec {
  if (packing?.snapshot !== snapshot) {
    packing = { snapshot, codec: chosenCodec(choice, threadCount) };
  }
  return packing.codec;
}

/** What all threads packed meanwhile, each as much as this one: so it is told to the codec, as is what the store took. */
function timesOf(run: PackedRun, threadCount: number): PackedRun {
  return {
    methods: run.methods,
    pagesBytes: run.pagesBytes * threadCount,
    storedBytes: run.storedBytes * threadCount,
    lz4Bytes: run.lz4Bytes * threadCount,
    seconds: run.seconds * threadCount,
    zstdSeconds: run.zstdSeconds * threadCount,
  };
}

/**
 * All packs of the thread together take what passes from one batch to the next. The packing in that is left out: a store that takes
 * all at once would seem to be as slow as that, and a heavier codec would make it seem slower still.
 */
function noteTaken(codec: RunCodec, sizeBytes: number, packSeconds: number): void {
  const nowMs = performance.now();
  codec.taken(sizeBytes, Math.max(0, taking.end(nowMs) / 1000 - packSeconds));
  taking.begin(nowMs);
}
