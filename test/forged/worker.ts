// A process of the run: takes numbers of cases, gives what they came to.
import { baseGuest, baseNames } from './bases.js';
import { LoadedDeadKernel } from './dead-case.js';
import type { DeadKernel } from './dead-kernels.js';
import { KnownKernel } from './known-kernel.js';
import { runCase } from './run-case.js';

export interface Batch {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  readonly only: string;
  /** All cases of the batch are of this one. */
  readonly dead?: DeadKernel | undefined;
}

const kernels: KnownKernel[] = [];
for (const name of baseNames) {
  kernels.push(new KnownKernel(await baseGuest(name)));
}
process.on('message', ({ seed, first, count, only, dead }: Batch) => {
  const loaded = dead === undefined ? undefined : new LoadedDeadKernel(dead);
  const outcomes = Array.from(
    { length: count },
    (_, index) => loaded?.run(seed, first + index) ?? runCase(kernels, seed, first + index, only),
  );
  process.send?.(outcomes);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
