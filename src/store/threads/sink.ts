// Where a worker thread puts what it makes: a store's own, opened in that thread from a plain description.

import { type ErrorCode, ParsError } from '../../../introspect/pars-error.js';

/** What crosses to the thread, by structured cloning: numbers, text, bytes, maps; no functions. */
export interface SinkPlan {
  /** The module of the sink, by its name among the imports of package.json, or its URL. It exports a SinkModule. */
  readonly module: string;
  /** For its `openSink` alone. */
  readonly settings: unknown;
}

export interface SinkModule {
  /** Cheap, and fails only through what is returned. */
  readonly openSink: (settings: unknown, signal: AbortSignal) => Sink;
}

export interface Sink {
  /** Memory for what comes next, once there is some, of `sizeBytes` bytes: at most `maxRoomBytes`. */
  room(sizeBytes: number): Promise<Buffer>;
  /** So many bytes of the room given last are filled. They may be sent from now on. */
  took(sizeBytes: number): Promise<void>;
  /** Resolves once all that was taken is where it is to be. */
  finish(): Promise<void>;
  /** Must be called. What is not finished is given up. */
  close(): void;
  /** What of an error of its own the store in the main thread is to know, beside code and message. */
  detailOf(error: unknown): unknown;
}

/** The most that may be asked of a sink at once. */
export const maxRoomBytes = 528 * 1024;

/** What a sink threw, in the main thread. */
export class SinkFailure extends ParsError {
  constructor(
    code: ErrorCode,
    message: string,
    /** What its `detailOf` said. */
    readonly detail: unknown,
  ) {
    super(code, message);
  }
}
