// What a file is to hold, and who makes it: the thread that asks for it, or a worker thread, which may send it from there as well.
// Then no byte of it crosses from one thread to another, and each is sent while it is still near the processor that made it.

import type { SinkPlan } from './sink.js';

/**
 * A function, so that a store's retry can ask again. Whoever wraps it makes another function, which is then without `inThread`: a
 * limit of bandwidth, or a test that counts bytes, sees all that is sent.
 */
export interface Content {
  (): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly inThread?: ThreadContent | undefined;
}

/** Content that a worker thread makes. It is never empty. */
export interface ThreadContent {
  /**
   * Has a thread open the sink, and fill it with all of the content; called again for a retry. Resolves with the number of bytes
   * once the sink has taken them, and nothing is under way any more when it settles. Rejects with SinkFailure for what the sink
   * throws, and with what makes the content otherwise.
   */
  send(plan: SinkPlan, signal: AbortSignal | undefined): Promise<number>;
}
