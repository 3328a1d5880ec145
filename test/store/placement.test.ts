// Properties of the placement that the store's promises rest on.

import fc from 'fast-check';
import { placementOrder } from '../../src/store/placement.js';

const disks = fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 64 });

describe('placement', () => {
  it('ranks every disk once, whatever order they are listed in', () => {
    fc.assert(
      fc.property(fc.string(), disks, (name, diskNumbers) => {
        const order = placementOrder(name, diskNumbers);
        expect([...order].sort()).toEqual([...diskNumbers].sort());
        expect(placementOrder(name, [...diskNumbers].reverse())).toEqual(order);
      }),
    );
  });

  it('keeps the order of the others when a disk is lost', () => {
    fc.assert(
      fc.property(fc.string(), disks, fc.nat(), (name, diskNumbers, index) => {
        const lost = diskNumbers[index % diskNumbers.length];
        const others = diskNumbers.filter((diskNumber) => diskNumber !== lost);
        expect(placementOrder(name, others)).toEqual(
          placementOrder(name, diskNumbers).filter((diskNumber) => diskNumber !== lost),
        );
      }),
    );
  });

  it('spreads first and second copies evenly, and second copies of one disk over all others', () => {
    const fileCount = 5000;
    const counts = new Map<string, number>();
    for (let index = 0; index < fileCount; index++) {
      const [first, second] = placementOrder(`snapshots/vm/pack-${index}`, [1, 2, 3, 4, 5]);
      const pair = `${first}${second}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    expect(counts.size).toBe(20);
    // 250 are expected per pair, with a standard deviation of 15.4; the names are fixed, so this cannot flicker.
    for (const count of counts.values()) {
      expect(Math.abs(count - fileCount / 20)).toBeLessThan(62);
    }
  });
});
