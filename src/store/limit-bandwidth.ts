// A store that is written to no faster than a given rate, over all writes together, so that an upload leaves room on the
// network to others. Content counts once, however many copies the store makes of it. Reading is not limited.
//
// A token bucket kept as one number, the moment from which the rate has room again: each piece takes its place behind
// the one before, of whichever file, and waits for it.
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import type { Store } from './store.js';
import type { Content } from './threads/content.js';

/**
 * Pieces are of this time at most: a large chunk at a low rate would be one long silence, which HDFS takes for a dead
 * client. It is also what may be caught up on after a pause: timers are late by milliseconds.
 */
const pieceMs = 100;

/** Throws `usage` unless the rate is a positive number. The store is closed through what is returned. */
export function limitBandwidth(store: Store, bytesPerSecond: number): Store {
  if (!(bytesPerSecond > 0)) {
    throw new ParsError(
      'usage',
      `expected a bandwidth above 0 bytes per second, found ${bytesPerSecond}`,
    );
  }
  const pace = new Pace(bytesPerSecond);
  return {
    ...store,
    // What is made in a thread would not pass by here, so `inThread` is not handed on.
    write: (name, content, options) =>
      store.write(name, () => paced(content, pace, options.signal), options),
  };
}

async function* paced(
  content: Content,
  pace: Pace,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content()) {
    for (let at = 0; at < chunk.length; at += pace.pieceSizeBytes) {
      // Views of the chunk: the store is done with each when it asks for the next, and so with the chunk after its last.
      const piece = chunk.subarray(at, at + pace.pieceSizeBytes);
      await pace.waitFor(piece.length, signal);
      yield piece;
    }
  }
}

class Pace {
  readonly pieceSizeBytes: number;
  readonly #bytesPerMs: number;
  #roomFromMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.pieceSizeBytes = Math.max(1, Math.floor(this.#bytesPerMs * pieceMs));
  }

  /** Until `sizeBytes` more may go. Throws `cancelled` once `signal` is aborted. */
  async waitFor(sizeBytes: number, signal: AbortSignal | undefined): Promise<void> {
    const nowMs = performance.now();
    const startMs = Math.max(this.#roomFromMs, nowMs - pieceMs);
    this.#roomFromMs = startMs + sizeBytes / this.#bytesPerMs;
    if (startMs <= nowMs) {
      return;
    }
    try {
      await sleep(startMs - nowMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw new ParsError('cancelled', 'a limited write was stopped by the caller', {
        cause: error,
      });
    }
  }
}
