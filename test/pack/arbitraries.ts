// Random batches of pages for property tests.
import * as fc from 'fast-check';
import type { PageBatch } from '../../src/pack/types.js';
import { batchOf, type FrameOutline, type PageKind } from './sample-pages.js';

const half = fc.nat(0xffffffff);

const outline: fc.Arbitrary<FrameOutline> = fc.record({
  window: fc.nat(0xffffffff),
  // Sparse masks too: a random half has 16 bits set on average.
  maskLow: fc.oneof(
    half,
    fc.nat(31).map((bit) => (1 << bit) >>> 0),
    fc.constant(0),
  ),
  maskHigh: fc.oneof(half, fc.constant(0)),
});

const kinds = fc.array(fc.constantFrom<PageKind>('zero', 'noise', 'repeat'), {
  minLength: 1,
  maxLength: 7,
});

export const pageBatches: fc.Arbitrary<PageBatch> = fc
  .tuple(fc.array(outline, { maxLength: 4 }), kinds)
  .map(([frames, kindsInTurn]) => batchOf(frames, kindsInTurn));
