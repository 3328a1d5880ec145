// The map beside an image: every way to write one, and every mistake in it, by name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImage } from '../../../../introspect/memory/open-image-file.js';
import type { MemoryRegion } from '../../../../introspect/memory/physical-memory.js';

let folder: string;
let path: string;
let mapPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pars-map-'));
  path = join(folder, 'ram');
  mapPath = join(folder, 'other.json');
  writeFileSync(path, Buffer.alloc(4 * 4096, 1));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function regionsOf(map: unknown): readonly MemoryRegion[] {
  writeFileSync(mapPath, typeof map === 'string' ? map : JSON.stringify(map));
  const image = openImage(path, { mapPath });
  image.close();
  expect(image.views).toHaveLength(1);
  return image.views[0].regions;
}

test('numbers are written as numbers, in decimal or in hexadecimal', () => {
  const regions = [
    { gpa: '0x100000000', sizeBytes: '4096' },
    { gpa: 8192, sizeBytes: '0x2000' },
  ];
  expect(regionsOf({ regions })).toEqual([
    { gpaStart: 8192, sizeBytes: 8192, imageOffset: 0 },
    { gpaStart: 2 ** 32, sizeBytes: 4096, imageOffset: 8192 },
  ]);
});

test('the map beside the image is taken unasked, and one that is named instead of it', () => {
  const map = (gpa: number) => JSON.stringify({ regions: [{ gpa, sizeBytes: 4 * 4096 }] });
  writeFileSync(`${path}.map.json`, map(0x10000));
  const startOf = (options: object) => {
    const image = openImage(path, options);
    image.close();
    return image.views[0].regions[0].gpaStart;
  };
  expect(startOf({})).toBe(0x10000);
  writeFileSync(mapPath, map(0x20000));
  expect(startOf({ mapPath })).toBe(0x20000);
});

const four = { gpa: 0, sizeBytes: 4 * 4096 };

test.each([
  ['no JSON', '{', /other\.json is no JSON/],
  ['no regions', {}, /no list of regions/],
  ['an empty list', { regions: [] }, /0 regions/],
  ['a number for a region', { regions: [7] }, /region 0: expected an object, found 7/],
  ['no address', { regions: [{ sizeBytes: 4096 }] }, /region 0: expected gpa or base_address/],
  ['no size', { regions: [{ gpa: 0 }] }, /region 0: expected sizeBytes or size/],
  ['two sizes', { regions: [{ ...four, size: 1 }] }, /one of sizeBytes, size/],
  ['a misspelt name', { regions: [{ ...four, offset: 0 }] }, /region 0: .*found "offset"/],
  ['a negative size', { regions: [{ gpa: 0, sizeBytes: -4096 }] }, /sizeBytes .*-4096/],
  ['an address in words', { regions: [{ gpa: '1G', sizeBytes: 4096 }] }, /gpa .*"1G"/],
  ['an address above 2^53', { regions: [{ ...four, gpa: '0xffffffffffffffff' }] }, /gpa/],
  ['a size within a page', { regions: [{ gpa: 0, sizeBytes: 100 }] }, /region 0 .*whole pages/],
  ['an address within a page', { regions: [{ gpa: 8, sizeBytes: 4096 }] }, /whole pages.*0x8/],
  ['more than the file has', { regions: [{ gpa: 0, sizeBytes: 5 * 4096 }] }, /16384.*truncated/],
  [
    'addresses twice',
    {
      regions: [
        { gpa: 0, sizeBytes: 8192 },
        { gpa: 4096, sizeBytes: 8192 },
      ],
    },
    /region 1 .*0x2000 .*region 0 .*0x1000.*overlap/,
  ],
  [
    "the file's bytes twice",
    {
      regions: [
        { gpa: 0, sizeBytes: 8192 },
        { gpa: 8192, sizeBytes: 4096, fileOffset: 4096 },
      ],
    },
    /region 1 .*offset 4096 .*region 0 .*8192/,
  ],
])('a map with %s is refused', (_, map, message) => {
  expect(() => regionsOf(map)).toThrow(
    expect.objectContaining({
      code: 'image-invalid',
      message: expect.stringMatching(message) as unknown,
    }) as Error,
  );
});
