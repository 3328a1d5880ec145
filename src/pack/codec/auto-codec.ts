// The codec `auto`: for each run of frames, lz4 or lz4 and zstd, whichever of the two payloads is smaller. What the threads and the
// store were seen to do says which (codec-mix.ts). A frame is never larger than by lz4 alone: where zstd is worth its time, the
// threads have time for both. And it is never much slower: time that processors are busy with other work than packing is no time
// for zstd, so where nothing is idle, lz4 stays alone.
//
// zstd's time is kept for each level, as a factor over lz4's on the same pages, and what it saves over lz4 for all levels
// together: pages of which one level makes little are those of which the next makes little. What was seen long ago counts for
// little, and what was never seen is as measured on guests under work.
import type { FrameMethod } from './codec-choice.js';
import { bestMix, type CodecRate, type ProcessorLoad } from './codec-mix.js';
import type { PackedRun, RunCodec } from './run-codec.js';

/** What a level takes of lz4's time beside it, and what it saves of lz4's bytes, as measured on guests under work. */
const levels = [
  { level: 1, timeFactor: 1.2, savedFraction: 0.22 },
  { level: 3, timeFactor: 1.4, savedFraction: 0.25 },
  { level: 9, timeFactor: 6, savedFraction: 0.28 },
] as const;
/** As how many bytes of pages that were seen these count. */
const priorBytes = 2 ** 20;
/** What lz4 does until the first run is packed. */
const lz4Prior = { secondsPerByte: 1 / (500 * 2 ** 20), storedPerByte: 0.5 };

/** Bytes after which what was seen counts half: what the store took, what pages came to, and how long a level took. */
const storeHalfLifeBytes = 4 * 2 ** 20;
const pagesHalfLifeBytes = 16 * 2 ** 20;
const timesHalfLifeBytes = 128 * 2 ** 20;
const workHalfLifeBytes = 64 * 2 ** 20;

/**
 * What processors do takes longer than their work is long: it comes in bursts, and threads wait for each other while there would be
 * time. So what zstd adds must be worth a little more than it seems.
 */
const burstFactor = 1.15;

export class AutoCodec implements RunCodec {
  readonly #threadCount: number;
  readonly #processorCount: number;
  readonly #lz4 = { pagesBytes: 0, seconds: 0, storedBytes: 0 };
  /** Times of the runs that were packed by each level. */
  readonly #times: readonly { lz4Seconds: number; zstdSeconds: number }[] = levels.map(() => ({
    lz4Seconds: 0,
    zstdSeconds: 0,
  }));
  /** What zstd saved, at any level, and what it would have saved by the levels' fractions. */
  readonly #saved = { bytes: 0, expectedBytes: 0 };
  readonly #store = { bytes: 0, seconds: 0 };
  /** What was stored while all processors were seen to be busy for so long, and the threads packed for so long. */
  readonly #work = { bytes: 0, busySeconds: 0, packSeconds: 0 };
  /** Stored and packed since the processors were looked at last: what they did is seen in steps that are longer than a run. */
  #unseen = { bytes: 0, packSeconds: 0 };
  readonly #busySeconds: (() => number) | undefined;
  #busySecondsSeen: number;
  /** What of the second codec's part of the mix has not been given yet, in runs. */
  #owed = 0;

  /**
   * `threadCount` threads pack at once, on `processorCount` processors. `busySeconds`: how long all these have been busy so far,
   * with anything; unless told, that is left out of account.
   */
  constructor(threadCount: number, processorCount = threadCount, busySeconds?: () => number) {
    this.#threadCount = threadCount;
    this.#processorCount = processorCount;
    this.#busySeconds = busySeconds;
    this.#busySecondsSeen = busySeconds?.() ?? 0;
  }

  next(): readonly FrameMethod[] {
    if (this.#busySeconds !== undefined && this.#work.bytes === 0) {
      return methodsOf(0);
    }
    const { bytes, seconds } = this.#store;
    // Until something was sent, the store waits.
    const storeSecondsPerByte = bytes === 0 ? 0 : seconds / bytes;
    const { first, second, secondFraction } = bestMix(
      this.#rates(),
      storeSecondsPerByte,
      this.#load(),
    );
    this.#owed += secondFraction;
    const isSecond = this.#owed >= 1;
    this.#owed -= isSecond ? 1 : 0;
    return methodsOf(isSecond ? second : first);
  }

  packed(run: PackedRun): void {
    fade(this.#lz4, run.pagesBytes / pagesHalfLifeBytes);
    fade(this.#saved, run.pagesBytes / pagesHalfLifeBytes);
    this.#times.forEach((times) => {
      fade(times, run.pagesBytes / timesHalfLifeBytes);
    });
    const { pagesBytes, storedBytes, lz4Bytes, zstdSeconds } = run;
    const lz4Seconds = run.seconds - zstdSeconds;
    this.#unseen.packSeconds += run.seconds;
    add(this.#lz4, { pagesBytes, seconds: lz4Seconds, storedBytes: lz4Bytes });
    const index = levels.findIndex(({ level }) => run.methods.includes(`zstd:${level}`));
    if (index !== -1) {
      add(this.#times[index], { lz4Seconds, zstdSeconds });
      add(this.#saved, {
        bytes: lz4Bytes - storedBytes,
        expectedBytes: lz4Bytes * levels[index].savedFraction,
      });
    }
  }

  taken(bytes: number, seconds: number): void {
    fade(this.#store, bytes / storeHalfLifeBytes);
    add(this.#store, { bytes, seconds });
    this.#unseen.bytes += bytes;
    const busySeconds = this.#busySeconds?.() ?? 0;
    if (busySeconds > this.#busySecondsSeen) {
      fade(this.#work, this.#unseen.bytes / workHalfLifeBytes);
      add(this.#work, { ...this.#unseen, busySeconds: busySeconds - this.#busySecondsSeen });
      this.#busySecondsSeen = busySeconds;
      this.#unseen = { bytes: 0, packSeconds: 0 };
    }
  }

  #load(): ProcessorLoad | undefined {
    const { bytes, busySeconds, packSeconds } = this.#work;
    if (this.#busySeconds === undefined) {
      return undefined;
    }
    const otherSeconds = Math.max(0, busySeconds - packSeconds / this.#processorCount);
    return {
      packingShare: (burstFactor * this.#threadCount) / this.#processorCount,
      secondsPerStoredByte: (burstFactor * otherSeconds) / bytes,
    };
  }

  /** The rates of lz4 alone, then those of lz4 and zstd at each level. */
  #rates(): readonly CodecRate[] {
    const { pagesBytes, seconds, storedBytes } = this.#lz4;
    const lz4Seconds = pagesBytes === 0 ? lz4Prior.secondsPerByte : seconds / pagesBytes;
    const lz4Stored = pagesBytes === 0 ? lz4Prior.storedPerByte : storedBytes / pagesBytes;
    const priorSeconds = lz4Seconds * priorBytes;
    const priorSaved = lz4Stored * priorBytes * levels[0].savedFraction;
    const gain = (priorSaved + this.#saved.bytes) / (priorSaved + this.#saved.expectedBytes);
    const withZstd = levels.map(({ timeFactor, savedFraction }, index) => {
      const times = this.#times[index];
      const factor =
        (timeFactor * priorSeconds + times.zstdSeconds) / (priorSeconds + times.lz4Seconds);
      return {
        packSeconds: lz4Seconds * (1 + factor),
        storedBytes: lz4Stored * Math.max(0, 1 - savedFraction * gain),
      };
    });
    return [{ packSeconds: lz4Seconds, storedBytes: lz4Stored }, ...withZstd].map(
      ({ packSeconds, storedBytes: stored }) => ({
        packSeconds: packSeconds / this.#threadCount,
        storedBytes: stored,
      }),
    );
  }
}

/** By index in the rates. */
function methodsOf(index: number): readonly FrameMethod[] {
  return index === 0 ? ['lz4'] : ['lz4', `zstd:${levels[index - 1].level}`];
}

function fade<Key extends string>(sums: Record<Key, number>, halfLives: number): void {
  const factor = 0.5 ** halfLives;
  for (const key of Object.keys(sums) as Key[]) {
    sums[key] *= factor;
  }
}

function add<Key extends string>(sums: Record<Key, number>, more: Record<Key, number>): void {
  for (const key of Object.keys(sums) as Key[]) {
    sums[key] += more[key];
  }
}
