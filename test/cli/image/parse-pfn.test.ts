// Frame numbers on the command line: decimal or hex, and an answer that says which ones there are.
import { ParsError } from '../../../introspect/pars-error.js';
import { expectInImage, parsePfn } from '../../../src/cli/image/parse-pfn.js';

test.each([
  ['0', 0],
  ['40000', 40_000],
  ['0x9c40', 40_000],
  ['0X9C40', 40_000],
])('%s is frame %d', (text, pfn) => {
  expect(parsePfn(text)).toBe(pfn);
});

test.each([
  '',
  ' 5',
  '-5',
  '5.0',
  '1e3',
  '9c40',
  '0x',
  '0xg',
  '99999999999999999999',
  '0x20000000000000',
])('%j is none', (text) => {
  expect(() => parsePfn(text)).toThrow(ParsError);
  expect(() => parsePfn(text)).toThrow(/is no page frame number: expected digits, or 0x/);
});

const gib = 2 ** 30;
const regions = [
  { gpaStart: 0, sizeBytes: 2 * gib, imageOffset: 0 },
  { gpaStart: 4 * gib, sizeBytes: 2 * gib, imageOffset: 2 * gib },
];

test('a frame in the hole below 4 GiB is refused with the frames that there are', () => {
  expect(() => {
    expectInImage(0x7_ffff, regions);
  }).not.toThrow();
  expect(() => {
    expectInImage(0x10_0000, regions);
  }).not.toThrow();
  expect(() => {
    expectInImage(0x9_0000, regions);
  }).toThrow(
    'the image holds no frame 589824 (0x90000): expected one of ' +
      '0-524287 (0x0-0x7ffff), 1048576-1572863 (0x100000-0x17ffff)',
  );
});

test('of an image in many pieces the first are named', () => {
  const many = Array.from({ length: 100 }, (_, index) => ({
    gpaStart: index * 8192,
    sizeBytes: 4096,
    imageOffset: index * 4096,
  }));
  expect(() => {
    expectInImage(1, many);
  }).toThrow(/14-14 \(0xe-0xe\), 92 ranges more$/);
});
