// The codec `auto`: for each run of frames, lz4 or lz4 and zstd, whichever of the two payloads is smaller. What the threads and the
// store were seen to do says which (codec-mix.ts). A frame is never larger than by lz4 alone: where zstd is worth its time, the
// threads have time for both.
//
// What a level costs and saves is kept as a factor over lz4 on the same pages, which changes less from run to run than either
// does. What was seen long ago counts for little, and what was never seen is as measured on guests under work, so that a level that
// did nothing for one part of an image is tried again on the next.
import type { FrameMethod } from './codec-choice.js';
import { bestMix, type CodecRate } from './codec-mix.js';

/** What a run of frames took. */
export interface PackedRun {
  readonly methods: readonly FrameMethod[];
  readonly pagesBytes: number;
  /** What its payloads take, and what those by lz4 alone would have. */
  readonly storedBytes: number;
  readonly lz4Bytes: number;
  /** Of one thread, from reading the pages on. */
  readonly seconds: number;
  /** Of these, what zstd took. */
  readonly zstdSeconds: number;
}

/**
 * What a level takes beside lz4, of its time and of its bytes, until it is seen: as measured on guests under work. More levels
 * would not be told apart.
 */
const levels = [
  { level: 1, timeFactor: 0.8, sizeFactor: 0.78 },
  { level: 3, timeFactor: 1.2, sizeFactor: 0.75 },
  { level: 9, timeFactor: 5, sizeFactor: 0.72 },
] as const;
/** As how many bytes of pages that were seen these count. */
const priorBytes = 2 ** 20;
/** Of lz4, until the first run is packed. */
const lz4Prior = { secondsPerByte: 1 / (500 * 2 ** 20), storedPerByte: 0.5 };

/** Bytes after which what was seen counts half: what the store took, pages by lz4, and pages by a level. */
const storeHalfLifeBytes = 4 * 2 ** 20;
const lz4HalfLifeBytes = 16 * 2 ** 20;
const levelHalfLifeBytes = 128 * 2 ** 20;

/** Of the runs that were packed by a level. */
interface Seen {
  lz4Seconds: number;
  lz4Bytes: number;
  seconds: number;
  storedBytes: number;
}

export class AutoCodec {
  readonly #threadCount: number;
  readonly #lz4 = { pagesBytes: 0, seconds: 0, storedBytes: 0 };
  readonly #zstd: readonly Seen[] = levels.map(() => ({
    lz4Seconds: 0,
    lz4Bytes: 0,
    seconds: 0,
    storedBytes: 0,
  }));
  readonly #store = { bytes: 0, seconds: 0 };
  /** What of the second codec's part of the mix has not been given yet, in runs. */
  #owed = 0;

  /** `threadCount` threads pack at once. */
  constructor(threadCount: number) {
    this.#threadCount = threadCount;
  }

  /** What the next run is to be packed by. A run that is packed again must be packed by the same, or other bytes come out. */
  next(): readonly FrameMethod[] {
    const { bytes, seconds } = this.#store;
    // Until something was sent, the store waits.
    const storeSecondsPerByte = bytes === 0 ? 0 : seconds / bytes;
    const { first, second, secondFraction } = bestMix(this.#rates(), storeSecondsPerByte);
    this.#owed += secondFraction;
    const isSecond = this.#owed >= 1;
    this.#owed -= isSecond ? 1 : 0;
    return methodsOf(isSecond ? second : first);
  }

  /** A run has been packed, by what `next` said. */
  packed(run: PackedRun): void {
    fade(this.#lz4, run.pagesBytes / lz4HalfLifeBytes);
    this.#zstd.forEach((seen) => {
      fade(seen, run.pagesBytes / levelHalfLifeBytes);
    });
    const lz4Seconds = run.seconds - run.zstdSeconds;
    add(this.#lz4, { pagesBytes: run.pagesBytes, seconds: lz4Seconds, storedBytes: run.lz4Bytes });
    const index = levels.findIndex(({ level }) => run.methods.includes(`zstd:${level}`));
    if (index !== -1) {
      add(this.#zstd[index], {
        lz4Seconds,
        lz4Bytes: run.lz4Bytes,
        seconds: run.zstdSeconds,
        storedBytes: run.storedBytes,
      });
    }
  }

  /** The store took so many bytes, in so much of the time in which it had some to take. */
  taken(bytes: number, seconds: number): void {
    fade(this.#store, bytes / storeHalfLifeBytes);
    add(this.#store, { bytes, seconds });
  }

  /** Of lz4 alone, then of lz4 and zstd at each level. */
  #rates(): readonly CodecRate[] {
    const { pagesBytes, seconds, storedBytes } = this.#lz4;
    const lz4Seconds = pagesBytes === 0 ? lz4Prior.secondsPerByte : seconds / pagesBytes;
    const lz4Stored = pagesBytes === 0 ? lz4Prior.storedPerByte : storedBytes / pagesBytes;
    const withZstd = levels.map(({ timeFactor, sizeFactor }, index) => {
      const seen = this.#zstd[index];
      const priorSeconds = lz4Seconds * priorBytes;
      const priorStored = lz4Stored * priorBytes;
      const time = (timeFactor * priorSeconds + seen.seconds) / (priorSeconds + seen.lz4Seconds);
      const size = (sizeFactor * priorStored + seen.storedBytes) / (priorStored + seen.lz4Bytes);
      return { packSeconds: lz4Seconds * (1 + time), storedBytes: lz4Stored * size };
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
