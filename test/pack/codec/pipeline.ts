// A pipeline by calculation: threads pack runs of frames in their order, a store takes them one after the other, and only so many
// may be packed and not yet sent.
import type { FrameMethod } from '../../../src/pack/codec/codec-choice.js';
import type { PackedRun } from '../../../src/pack/codec/run-codec.js';

export const runBytes = 2 ** 20;
const runsAhead = 8;

/** What a method makes of a run of these pages. */
export interface Packing {
  readonly seconds: number;
  readonly storedBytes: number;
}

export interface Pipeline {
  readonly threadCount: number;
  readonly runCount: number;
  /** In one thread; the time of lz4 has in it what every run takes. */
  readonly packing: (run: number, method: FrameMethod) => Packing;
  readonly storeSecondsPerByte: (run: number) => number;
}

/** Who says what a run is packed by, and is told what came of it. */
export interface Chooser {
  readonly next: () => readonly FrameMethod[];
  readonly packed?: (run: PackedRun) => void;
  readonly taken?: (bytes: number, seconds: number) => void;
}

export interface PipelineResult {
  readonly seconds: number;
  readonly storedBytes: number;
  readonly chosen: readonly (readonly FrameMethod[])[];
}

interface Event {
  readonly atSeconds: number;
  readonly tell: () => void;
}

export function simulate(pipeline: Pipeline, chooser: Chooser): PipelineResult {
  const { threadCount, runCount, packing, storeSecondsPerByte } = pipeline;
  const threadsFree = Array.from({ length: threadCount }, () => 0);
  const sentAt: number[] = [];
  const chosen: (readonly FrameMethod[])[] = [];
  let events: Event[] = [];
  let storeFree = 0;
  let stored = 0;
  for (let run = 0; run < runCount; run++) {
    const thread = threadsFree.indexOf(Math.min(...threadsFree));
    const start = Math.max(threadsFree[thread], sentAt[run - runsAhead] ?? 0);
    // Only what has happened by now is known.
    events
      .filter(({ atSeconds }) => atSeconds <= start)
      .toSorted((a, b) => a.atSeconds - b.atSeconds)
      .forEach(({ tell }) => {
        tell();
      });
    events = events.filter(({ atSeconds }) => atSeconds > start);
    const methods = chooser.next();
    chosen.push(methods);
    const packings = methods.map((method) => packing(run, method));
    const seconds = packings.reduce((sum, each) => sum + each.seconds, 0);
    const storedBytes = Math.min(runBytes, ...packings.map((each) => each.storedBytes));
    const packedAt = start + seconds;
    threadsFree[thread] = packedAt;
    const sendFrom = Math.max(packedAt, storeFree);
    const sendSeconds = storedBytes * storeSecondsPerByte(run);
    storeFree = sendFrom + sendSeconds;
    sentAt.push(storeFree);
    stored += storedBytes;
    const lz4 = packing(run, 'lz4');
    events.push(
      {
        atSeconds: packedAt,
        tell: () =>
          chooser.packed?.({
            methods,
            pagesBytes: runBytes,
            storedBytes,
            lz4Bytes: lz4.storedBytes,
            seconds,
            zstdSeconds: seconds - lz4.seconds,
          }),
      },
      { atSeconds: storeFree, tell: () => chooser.taken?.(storedBytes, sendSeconds) },
    );
  }
  return { seconds: storeFree, storedBytes: stored, chosen };
}
