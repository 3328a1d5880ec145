// Facts of a kernel as healing wants them, for tests that heal nothing: only that they are there counts.

import type { HealingFacts } from '../../introspect/heal/healing-facts.js';

export const healingFacts: HealingFacts = {
  freeByte: 0,
  structPage: {
    sizeBytes: 64,
    flagsOffset: 0,
    headOffset: 8,
    tailsHoldMask: false,
    uptodateMask: 8,
    busyMask: 1,
  },
  memmapBase: 0xffffea0000000000n,
  memmapRuns: [],
};
