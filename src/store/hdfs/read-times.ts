// How long reads took of late, by which a read is known that takes too long.

/** Enough for one to stand at each twentieth, few enough that old times are soon forgotten. */
const keptCount = 64;
/** Until so many are known, nothing is known. */
const leastCount = 8;
const firstSlowMs = 250;
/** Less is the hiccup of a busy process. */
const leastSlowMs = 10;
const smallestClassBytes = 64 * 1024;

export class ReadTimes {
  /** Newest last, by the class of size: reads within a factor of two take about as long. */
  readonly #timesMs = new Map<number, number[]>();

  note(sizeBytes: number, tookMs: number): void {
    const kept = this.#timesMs.get(classOf(sizeBytes)) ?? [];
    this.#timesMs.set(classOf(sizeBytes), kept);
    kept.push(tookMs);
    if (kept.length > keptCount) {
      kept.shift();
    }
  }

  /** What nineteen of twenty reads of about this size did not take. */
  slowMs(sizeBytes: number): number {
    const kept = this.#timesMs.get(classOf(sizeBytes)) ?? [];
    if (kept.length < leastCount) {
      return firstSlowMs;
    }
    const sorted = [...kept].sort((a, b) => a - b);
    return Math.max(leastSlowMs, sorted[Math.ceil(0.95 * sorted.length) - 1]);
  }
}

function classOf(sizeBytes: number): number {
  return Math.max(0, Math.ceil(Math.log2(sizeBytes / smallestClassBytes)));
}
