// The hands of a forger: random choices that a seed repeats, frames of his own, page tables of his own making.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { randomFrom } from '../e2e/random-numbers.js';
import type { ForgedRam } from './forged-ram.js';
import type { KnownKernel, Run } from './known-kernel.js';

const quickAttempts = 4;

export class Forger {
  readonly kernel: KnownKernel;
  readonly ram: ForgedRam;
  readonly #next: () => number;
  #runs: Run[];
  /** Frames taken so far. */
  readonly taken = new Set<number>();

  /** `runs`: the frames that are his. */
  constructor(kernel: KnownKernel, seed: number, runs: readonly Run[] = kernel.ownRuns) {
    this.kernel = kernel;
    this.ram = kernel.ram;
    this.#next = randomFrom(seed);
    this.#runs = [...runs];
  }

  /** 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)];
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  /** First of `count` frames of the forger's own that lie together and that he has not used yet. */
  take(count = 1, where: 'anywhere' | 'low' | 'high' = 'anywhere', alignment = 1): number {
    const boundary = Math.floor(this.kernel.vmcoreinfoGpa / pageSizeBytes);
    const from = where === 'high' ? boundary + 1 : 0;
    const to = where === 'low' ? boundary : Infinity;
    const fits = ({ pfn, count: runCount }: Run) => {
      const first = Math.ceil(Math.max(pfn, from) / alignment) * alignment;
      return { first, last: Math.min(pfn + runCount, to) - count };
    };
    // Nearly every run will do for one frame: a few are tried before all are.
    let index = -1;
    for (let attempt = 0; attempt < quickAttempts && index < 0; attempt++) {
      const candidate = this.below(this.#runs.length);
      const { first, last } = fits(this.#runs[candidate]);
      index = last >= first ? candidate : -1;
    }
    if (index < 0) {
      const fitting = [...this.#runs.keys()].filter((candidate) => {
        const { first, last } = fits(this.#runs[candidate]);
        return last >= first;
      });
      if (fitting.length === 0) {
        throw new NoRoom(`${count} frames, ${where}`);
      }
      index = this.pick(fitting);
    }
    const run = this.#runs[index];
    const { first, last } = fits(run);
    const pfn = first + this.below(Math.floor((last - first) / alignment) + 1) * alignment;
    // The last one takes the place of what is left behind: the order of runs means nothing.
    const left = [
      { pfn: run.pfn, count: pfn - run.pfn },
      { pfn: pfn + count, count: run.pfn + run.count - pfn - count },
    ].filter((piece) => piece.count > 0);
    const lastRun = this.#runs.pop();
    if (lastRun !== undefined && index < this.#runs.length) {
      this.#runs[index] = lastRun;
    }
    this.#runs.push(...left);
    for (let frame = pfn; frame < pfn + count; frame++) {
      this.taken.add(frame);
    }
    return pfn;
  }

  /** Puts the bytes into frames of the forger's own, one after the other, and says where. */
  put(bytes: Uint8Array, where: 'anywhere' | 'low' | 'high' = 'anywhere'): number {
    const count = Math.max(1, Math.ceil(bytes.length / pageSizeBytes));
    const gpa = this.take(count, where) * pageSizeBytes;
    const pages = Buffer.alloc(count * pageSizeBytes);
    pages.set(bytes);
    this.ram.write(gpa, pages);
    return gpa;
  }

  /** The kernel's own name for an address: everything in RAM has one. */
  address(gpa: number): bigint {
    return this.kernel.directMap + BigInt(gpa);
  }
}

/** The guest has no such frames: the case is made with another seed. */
export class NoRoom extends Error {}
