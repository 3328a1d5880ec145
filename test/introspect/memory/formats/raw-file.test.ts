// A raw file says nothing about itself but its size.
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRawFile, rawFileLayouts } from '../../../../introspect/memory/formats/raw-file.js';

const gib = 2 ** 30;
const fourGib = 4 * gib;

describe('layouts by size', () => {
  const flat = (sizeBytes: number) => [{ gpaStart: 0, sizeBytes, imageOffset: 0 }];
  const split = (sizeBytes: number, lowBytes: number) => [
    { gpaStart: 0, sizeBytes: lowBytes, imageOffset: 0 },
    { gpaStart: fourGib, sizeBytes: sizeBytes - lowBytes, imageOffset: lowBytes },
  ];

  test.each([
    ['512 MiB', gib / 2, [flat(gib / 2)]],
    ['2 GiB', 2 * gib, [flat(2 * gib)]],
    ['2.5 GiB', 2.5 * gib, [flat(2.5 * gib), split(2.5 * gib, 2 * gib)]],
    ['3 GiB', 3 * gib, [flat(3 * gib), split(3 * gib, 2 * gib)]],
    ['3.5 GiB', 3.5 * gib, [flat(3.5 * gib), split(3.5 * gib, 2 * gib), split(3.5 * gib, 3 * gib)]],
    ['4 GiB', 4 * gib, [split(4 * gib, 2 * gib), split(4 * gib, 3 * gib)]],
    ['5 GiB', 5 * gib, [split(5 * gib, 2 * gib), split(5 * gib, 3 * gib)]],
  ])('%s of RAM lie in the ways that PC machines place them', (_, sizeBytes, expected) => {
    expect(rawFileLayouts(sizeBytes)).toEqual(expected);
  });

  test('no layout puts RAM into the hole for devices below 4 GiB', () => {
    for (let sizeBytes = gib / 4; sizeBytes <= 8 * gib; sizeBytes += gib / 4) {
      const layouts = rawFileLayouts(sizeBytes);
      expect(layouts.length).toBeGreaterThan(0);
      for (const [low, ...above] of layouts) {
        expect(low.sizeBytes).toBeLessThanOrEqual(3.5 * gib);
        expect(above.every(({ gpaStart }) => gpaStart === fourGib)).toBe(true);
      }
    }
  });
});

describe('reading', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pars-raw-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('every view reads the file at the guest-physical addresses of its layout', () => {
    const path = join(folder, 'large');
    writeFileSync(path, '');
    truncateSync(path, 4 * gib);
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.from('at three'), 0, 8, 3 * gib);
    closeSync(fd);
    const image = openRawFile(path);
    const found = image.views.map((view) => {
      const target = Buffer.alloc(8);
      return [5 * gib, 4 * gib].filter(
        (gpa) => view.read(gpa, target) && target.toString() === 'at three',
      );
    });
    image.close();
    // With 2 GiB below the hole it is 1 GiB into what lies above, with 3 GiB it is the first of that.
    expect(found).toEqual([[5 * gib], [4 * gib]]);
  });

  test('a file cut short while it is open is invalid, not a page of zeroes', () => {
    const path = join(folder, 'shrinking');
    writeFileSync(path, Buffer.alloc(4 * 4096, 1));
    const image = openRawFile(path);
    const [view] = image.views;
    truncateSync(path, 2 * 4096);
    const target = Buffer.alloc(4096);
    expect(view.read(4096, target)).toBe(true);
    expect(() => view.read(4096 + 1, target)).toThrow(
      expect.objectContaining({
        code: 'image-invalid',
        message: expect.stringMatching(/ended at 8192/) as unknown,
      }) as Error,
    );
    image.close();
  });
});
