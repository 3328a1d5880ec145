// One pack as content that a worker thread makes and sends (send-pack.ts), for a store that can have it so.
import { MessageChannel } from 'node:worker_threads';
import { ParsError } from '../../introspect/pars-error.js';
import type { CodecChoice } from '../pack/codec/codec-choice.js';
import type { FramePool } from '../pack/frame-pool.js';
import { requestedSizeBytes } from '../pack/read-pages.js';
import type { PackRequest } from '../pack/types.js';
import type { ThreadContent } from '../store/threads/content.js';
import { SinkFailure, type SinkPlan } from '../store/threads/sink.js';
import type { SendPackJob, SendPackReply, SentPack } from './send-pack.js';

export interface ThreadPackSource {
  readonly pool: FramePool;
  /** The open image, which stays open until the store's write has ended. */
  readonly fd: number;
  readonly codec: CodecChoice;
  readonly snapshot: string;
  /** Called as pages have gone into the store's stream, in bytes. */
  readonly onPages: (sizeBytes: number) => void;
}

export class PackInThread implements ThreadContent {
  readonly #source: ThreadPackSource;
  readonly #request: PackRequest;
  /** What was sent last. */
  sent: SentPack | undefined;

  constructor(source: ThreadPackSource, request: PackRequest) {
    this.#source = source;
    this.#request = request;
  }

  async send(sink: SinkPlan, signal: AbortSignal | undefined): Promise<number> {
    const { pool, fd, codec, snapshot, onPages } = this.#source;
    const { port1: ours, port2: port } = new MessageChannel();
    let toldBytes = 0;
    ours.on('message', (sizeBytes: number) => {
      toldBytes += sizeBytes;
      onPages(sizeBytes);
    });
    const stop = (): void => {
      ours.postMessage('stop');
    };
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) {
      stop();
    }
    try {
      const { frames } = this.#request;
      const { threadCount } = pool;
      const job: SendPackJob = {
        ...{ frames: copied(frames), fd, codec, snapshot, threadCount },
        ...{ sink, port },
      };
      const reply = await pool.run<SendPackReply>('#send-pack', 'sendPack', job, [port]);
      if (reply.kind === 'failed') {
        throw reply.sink === undefined
          ? new ParsError(reply.code, reply.message)
          : new SinkFailure(reply.code, reply.message, reply.sink.detail);
      }
      // What was told last may still be on its way.
      ours.removeAllListeners('message');
      onPages(requestedSizeBytes(frames) - toldBytes);
      this.sent = reply.pack;
      return reply.pack.sizeBytes;
    } finally {
      signal?.removeEventListener('abort', stop);
      ours.close();
    }
  }
}

/** A view that is sent takes a copy of all that it is a view of along. */
function copied({ window, maskLow, maskHigh }: PackRequest['frames']): PackRequest['frames'] {
  return { window: window.slice(), maskLow: maskLow.slice(), maskHigh: maskHigh.slice() };
}
