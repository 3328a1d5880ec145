// A raw file says nothing about itself but its size.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawFile, rawFileLayouts } from '../../../introspect/memory/raw-file.js';
import { ParsError } from '../../../introspect/pars-error.js';

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

describe('opening and reading', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pars-raw-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function fileOf(name: string, bytes: Uint8Array): string {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  function imageInvalid(message: RegExp): unknown {
    return expect.objectContaining({
      code: 'image-invalid',
      message: expect.stringMatching(message) as unknown,
    });
  }

  function thrownBy(work: () => unknown): unknown {
    try {
      work();
    } catch (error) {
      expect(error).toBeInstanceOf(ParsError);
      return error;
    }
    throw new Error('expected it to throw');
  }

  test.each([
    ['is missing', () => join(folder, 'nowhere'), /cannot open .*nowhere/],
    ['is a folder', () => folder, /expected a regular file/],
    ['is empty', () => fileOf('empty', new Uint8Array()), /empty/],
    ['ends inside a page', () => fileOf('ragged', new Uint8Array(8191)), /8191 .*truncated/],
  ])('an image that %s is invalid', (_, path, message) => {
    expect(thrownBy(() => RawFile.open(path()))).toEqual(imageInvalid(message));
  });

  test('a view reads the file at the guest-physical addresses of its layout', () => {
    const bytes = Buffer.alloc(4 * 4096);
    bytes.forEach((_, at) => (bytes[at] = (at * 7 + (at >> 8)) & 0xff));
    const file = RawFile.open(fileOf('four-pages', bytes));
    const view = file.view([
      { gpaStart: 0, sizeBytes: 4096, imageOffset: 0 },
      { gpaStart: fourGib, sizeBytes: 3 * 4096, imageOffset: 4096 },
    ]);
    const target = Buffer.alloc(5000);
    expect(view.read(fourGib + 100, target)).toBe(true);
    expect(target.equals(bytes.subarray(4196, 9196))).toBe(true);
    view.readImage(300, target);
    expect(target.equals(bytes.subarray(300, 5300))).toBe(true);
    file.close();
  });

  test('a file cut short while it is open is invalid, not a page of zeroes', () => {
    const path = fileOf('shrinking', Buffer.alloc(4 * 4096, 1));
    const file = RawFile.open(path);
    const view = file.view(rawFileLayouts(file.sizeBytes)[0]);
    truncateSync(path, 2 * 4096);
    const target = Buffer.alloc(4096);
    expect(view.read(4096, target)).toBe(true);
    expect(thrownBy(() => view.read(4096 + 1, target))).toEqual(imageInvalid(/ended at 8192/));
    file.close();
  });
});
