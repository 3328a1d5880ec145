// How a worker thread's answer crosses to the main thread. Structured cloning drops what a subclass adds to Error, so a
// ParsError travels as code and message and is made anew on the other side. Anything else is a bug and crosses as it is.
import { type ErrorCode, ParsError } from '../../introspect/pars-error.js';

export type Reply<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Runs `work` in the worker. */
export function replyOf<T>(work: () => T): Reply<T> {
  try {
    return { kind: 'done', value: work() };
  } catch (error) {
    if (error instanceof ParsError) {
      return { kind: 'failed', code: error.code, message: error.message };
    }
    throw error;
  }
}

/** The value, or the worker's ParsError thrown here. */
export function valueOf<T>(reply: Reply<T>): T {
  if (reply.kind === 'failed') {
    throw new ParsError(reply.code, reply.message);
  }
  return reply.value;
}
