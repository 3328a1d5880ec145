// Where the part of a joined file lies that came from a device of hot-plugged memory.
import { isStated, layoutsWithHotPlugged } from '../../../introspect/kernel/hot-plugged.js';
import type { MemoryRegion } from '../../../introspect/memory/physical-memory.js';

const mib = 2 ** 20;
const gib = 2 ** 30;

function regionsOf(...sizes: readonly (readonly [gpa: number, size: number])[]): MemoryRegion[] {
  let imageOffset = 0;
  return sizes.map(([gpaStart, sizeBytes]) => {
    const region = { gpaStart, sizeBytes, imageOffset };
    imageOffset += sizeBytes;
    return region;
  });
}

describe('the layouts that are tried', () => {
  test('have every size of device that reaches the RAM that is missing', () => {
    expect(layoutsWithHotPlugged(640 * mib, 4 * gib + 200 * mib)).toEqual(
      [256, 384, 512].map((deviceMib) =>
        regionsOf([0, (640 - deviceMib) * mib], [4 * gib, deviceMib * mib]),
      ),
    );
  });

  test('place the device at the next whole GiB behind main RAM on both sides of the hole', () => {
    const layouts = layoutsWithHotPlugged(5.5 * gib, 7 * gib - 1);
    expect(layouts).toContainEqual(
      regionsOf([0, 2 * gib], [4 * gib, 1.5 * gib], [6 * gib, 2 * gib]),
    );
    expect(layouts).toContainEqual(
      regionsOf([0, 3 * gib], [4 * gib, 0.5 * gib], [5 * gib, 2 * gib]),
    );
  });

  test.each([512 * mib, 640 * mib, 100 * gib, 1024 * gib])(
    'are few, and have all bytes of a file of %i bytes in order',
    (sizeBytes) => {
      for (const missing of [4 * gib, 5 * gib, 64 * gib, 1000 * gib]) {
        const layouts = layoutsWithHotPlugged(sizeBytes, missing);
        expect(layouts.length).toBeLessThanOrEqual(3 * 64);
        for (const regions of layouts) {
          expect(
            regionsOf(...regions.map((entry) => [entry.gpaStart, entry.sizeBytes] as const)),
          ).toEqual(regions);
          expect(regions.reduce((sum, region) => sum + region.sizeBytes, 0)).toBe(sizeBytes);
        }
      }
    },
  );

  test('are none for RAM below 4 GiB', () => {
    expect(layoutsWithHotPlugged(640 * mib, 1 * gib)).toEqual([]);
  });
});

describe('a layout is the one that the kernel states', () => {
  const range = (gpaStart: number, sizeBytes: number) => ({ gpaStart, sizeBytes });
  /** The first page is the firmware's, and so is what lies between the ranges, as of any PC. */
  const low = (sizeBytes: number) => [
    range(4096, 0x9f000 - 4096),
    range(mib, sizeBytes - mib - 128 * 1024),
  ];
  const small = regionsOf([0, 512 * mib], [4 * gib, gib]);
  const large = regionsOf([0, 2 * gib], [4 * gib, 2.5 * gib], [7 * gib, gib]);
  const ofLarge = [...low(2 * gib), range(4 * gib, 2.5 * gib), range(7 * gib, gib)];

  test('with the device behind the hole, or behind RAM above it', () => {
    expect(isStated(small, [...low(512 * mib), range(4 * gib, gib)])).toBe(true);
    expect(isStated(large, ofLarge)).toBe(true);
  });

  test.each<[string, readonly MemoryRegion[], readonly ReturnType<typeof range>[]]>([
    ['nothing', small, []],
    ['the device alone', small, [range(4 * gib, gib)]],
    ['a smaller device', small, [...low(512 * mib), range(4 * gib, gib - 128 * mib)]],
    ['the device elsewhere', small, [...low(512 * mib), range(5 * gib, gib)]],
    ['less main RAM', small, [...low(384 * mib), range(4 * gib, gib)]],
    ['more main RAM', small, [...low(640 * mib), range(4 * gib, gib)]],
    [
      'two devices that fill the place of one',
      small,
      [...low(512 * mib), range(4 * gib, 512 * mib), range(4.5 * gib, 512 * mib)],
    ],
    [
      'two devices behind RAM above the hole',
      large,
      [...low(2 * gib), range(4 * gib, gib), range(5 * gib, 1.5 * gib), range(7 * gib, gib)],
    ],
    ['no RAM above the hole', large, [...low(2 * gib), range(7 * gib, gib)]],
  ])('but not where it states %s', (_, regions, ranges) => {
    expect(isStated(regions, ranges)).toBe(false);
  });
});
