// Random numbers that can be had again: the seed is printed, and PARS_TEST_SEED sets it.

export interface RandomNumbers {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
}

export function randomNumbers(whatFor: string): RandomNumbers {
  const seed = Number(process.env['PARS_TEST_SEED'] ?? Date.now() % 2 ** 32);
  process.stderr.write(`${whatFor}: PARS_TEST_SEED=${seed}\n`);
  return { seed, next: randomFrom(seed) };
}

/** Random numbers in [0, 1), the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  // mulberry32, by Tommy Ettinger; public domain.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
