// A process of the run: takes numbers of cases, gives what they came to.
import { baseGuest, baseNames } from './bases.js';
import { ForgedRam } from './forged-ram.js';
import { KnownKernel } from './known-kernel.js';
import { runCase } from './run-case.js';

export interface Batch {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
  readonly only: string;
}

const kernels: KnownKernel[] = [];
for (const name of baseNames) {
  kernels.push(new KnownKernel(new ForgedRam((await baseGuest(name)).ramPath)));
}
process.on('message', ({ seed, first, count, only }: Batch) => {
  const outcomes = Array.from({ length: count }, (_, index) =>
    runCase(kernels, seed, first + index, only),
  );
  process.send?.(outcomes);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
