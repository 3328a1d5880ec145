// What the look at a guest's disks may cost. The guest has written the file systems, so it says how long their tools run and
// how much they answer. When a bound is reached, what was proven until then counts, and other pages stay as they are.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';

export interface Bound {
  readonly timeMs: number;
  /** How many bytes a tool's answers may have. */
  readonly sizeBytes: number;
}

export interface ProofBounds {
  /** What one run of a tool may take. */
  readonly run: Bound;
  /** What all runs of tools for one disk may take together. */
  readonly disk: Bound;
  /** What all runs of tools for all disks of a snapshot may take together. */
  readonly snapshot: Bound;
  /** How long the comparison of one disk with the memory may take, beside what its pages take at `compareBytesPerMs`. */
  readonly compareMs: number;
  readonly compareBytesPerMs: number;
}

const gibibyte = 2 ** 30;

/** debugfs answers for 20,000 files in a second or two, with about a kilobyte each. */
export const proofBounds: ProofBounds = {
  run: { timeMs: 60_000, sizeBytes: gibibyte },
  disk: { timeMs: 120_000, sizeBytes: 2 * gibibyte },
  snapshot: { timeMs: 300_000, sizeBytes: 4 * gibibyte },
  compareMs: 60_000,
  // 16 MiB in a second: what a slow disk gives to reads here and there.
  compareBytesPerMs: 16 * 1024,
};

interface Spent {
  timeMs: number;
  sizeBytes: number;
}

export class ProofBudget {
  readonly #bounds: ProofBounds;
  readonly #total: Spent = { timeMs: 0, sizeBytes: 0 };
  readonly #byDisk = new Map<string, Spent>();
  readonly #comparedMs = new Map<string, number>();

  constructor(bounds: ProofBounds = proofBounds) {
    this.#bounds = bounds;
  }

  /** What the next run of a tool for this disk may take; undefined when nothing is left. */
  nextRun(disk: string): Bound | undefined {
    const { run, disk: ofDisk, snapshot } = this.#bounds;
    const spent = this.#spentFor(disk);
    const left = (of: keyof Bound): number =>
      Math.min(run[of], ofDisk[of] - spent[of], snapshot[of] - this.#total[of]);
    const [timeMs, sizeBytes] = [left('timeMs'), left('sizeBytes')];
    return timeMs <= 0 || sizeBytes <= 0 ? undefined : { timeMs, sizeBytes };
  }

  /** What it took. */
  add(disk: string, { timeMs, sizeBytes }: Bound): void {
    for (const spent of [this.#spentFor(disk), this.#total]) {
      spent.timeMs += timeMs;
      spent.sizeBytes += sizeBytes;
    }
  }

  /** Counts time of comparing; false when there is none left for this disk, of which `pageCount` pages are wanted. */
  mayCompare(disk: string, pageCount: number, tookMs: number): boolean {
    const { compareMs, compareBytesPerMs } = this.#bounds;
    const spentMs = (this.#comparedMs.get(disk) ?? 0) + tookMs;
    this.#comparedMs.set(disk, spentMs);
    return spentMs < compareMs + (pageCount * pageSizeBytes) / compareBytesPerMs;
  }

  #spentFor(disk: string): Spent {
    let spent = this.#byDisk.get(disk);
    if (spent === undefined) {
      spent = { timeMs: 0, sizeBytes: 0 };
      this.#byDisk.set(disk, spent);
    }
    return spent;
  }
}
