// Costs that can be worked out by hand.

import { costOf } from '../../../src/report/model/cost.js';
import type { Part } from '../../../src/report/model/report.js';
import { copies, reedSolomon } from '../../../src/store/redundancy.js';

const mebibyte = 2 ** 20;

const thrice: Part = {
  redundancy: copies(3),
  sizeBytes: 100e6,
  fileCount: 2,
  blockCount: 3,
  ifLost: 'does-not-resume',
};
const once: Part = {
  redundancy: copies(1),
  sizeBytes: 40e6,
  fileCount: 1,
  blockCount: 1,
  ifLost: 'heals',
};
const coded: Part = {
  redundancy: reedSolomon(6, 3),
  sizeBytes: 60 * mebibyte,
  fileCount: 1,
  blockCount: 1,
  ifLost: 'does-not-resume',
};
const assumptions = { linkBytesPerSecond: 10e6, pricePerTbMonth: 20 };

test('copies are sent once and made by the cluster; what is kept once costs the cluster nothing more', () => {
  expect(costOf([thrice, once], assumptions)).toEqual({
    uploadBytes: 140e6,
    clusterBytes: 200e6,
    restoreBytes: 140e6,
    uploadSeconds: 14,
    restoreSeconds: 14,
    fileCount: 3,
    blockCount: 4,
    // 340 MB at 20 for a terabyte.
    pricePerMonth: expect.closeTo(0.0068, 12) as number,
  });
});

test('parity is sent by the client, and not read as long as nothing is lost', () => {
  const cost = costOf([coded], { ...assumptions, linkBytesPerSecond: mebibyte });
  expect(cost).toMatchObject({
    uploadBytes: 90 * mebibyte,
    clusterBytes: 0,
    restoreBytes: 60 * mebibyte,
    uploadSeconds: 90,
    restoreSeconds: 60,
    blockCount: 1,
  });
  expect(cost.pricePerMonth).toBeCloseTo((90 * mebibyte * 20) / 1e12, 12);
});

test('without a price there is none', () => {
  expect(costOf([thrice], { ...assumptions, pricePerTbMonth: null }).pricePerMonth).toBeNull();
  expect(costOf([], assumptions)).toMatchObject({ uploadBytes: 0, fileCount: 0, pricePerMonth: 0 });
});
