// What the frames of an upload are packed by, run by run: a run is what a thread packs at a time.
import type { PackingCost } from '../types.js';
import type { FrameMethod } from './codec-choice.js';

/** What a run of frames took. */
export interface PackedRun extends PackingCost {
  readonly methods: readonly FrameMethod[];
  /** Bytes of pages, zero ones among them. */
  readonly pagesBytes: number;
}

/** One for all runs of an upload, whichever pack they are for. */
export interface RunCodec {
  /** What the next run is to be packed by. A run that is packed again must be packed by the same, or other bytes come out. */
  next(): readonly FrameMethod[];
  /** A run has been packed, by what `next` said. */
  packed(run: PackedRun): void;
  /** The store took so many bytes, in so much of the time in which it had some to take. */
  taken(bytes: number, seconds: number): void;
}
