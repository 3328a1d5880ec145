// Aborts as the store's `cancelled`, also while content is awaited that never comes: a stalled guest must not keep an
// upload from being stopped.

import { ParsError } from '../../introspect/pars-error.js';

/** Throws `cancelled` once `signal` is aborted. `doing` opens the message. */
export function checkNotAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted === true) {
    throw cancelled(signal, doing);
  }
}

/** The chunks of `content`, until `signal` is aborted: then it throws `cancelled`, whatever the content is doing. */
export async function* chunksUntilAborted(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal | undefined,
  doing: string,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* content;
    return;
  }
  const chunks =
    Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
  let isOpen = true;
  try {
    for (;;) {
      const next = await nextOrAbort(chunks, signal, doing);
      if (next.done === true) {
        isOpen = false;
        return;
      }
      yield next.value;
    }
  } finally {
    // Not awaited: a generator that hangs in `next` would hang in `return` as well.
    if (isOpen) {
      Promise.resolve(chunks.return?.()).catch(() => undefined);
    }
  }
}

async function nextOrAbort(
  chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
  signal: AbortSignal,
  doing: string,
): Promise<IteratorResult<Uint8Array>> {
  checkNotAborted(signal, doing);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(cancelled(signal, doing));
    };
  });
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([chunks.next(), aborted]);
  } catch (error) {
    // Content that listens to the same signal fails with an error of its own making.
    checkNotAborted(signal, doing);
    throw error;
  } finally {
    // By name: of listeners that end by a signal of their own, Node forgets to end all but the last that was added to a signal,
    // and packs written side by side share one.
    signal.removeEventListener('abort', stop);
  }
}

function cancelled(signal: AbortSignal, doing: string): ParsError {
  return new ParsError('cancelled', `${doing}: stopped by the caller`, { cause: signal.reason });
}
