import { parseSize } from '../../../src/vm/qemu/size.js';

test.each([
  ['536870912', 536870912],
  ['512M', 536870912],
  ['512m', 536870912],
  ['0.5G', 536870912],
  ['524288k', 536870912],
  ['1T', 2 ** 40],
  ['7b', 7],
  ['0x20000000', 536870912],
  ['', undefined],
  ['-1', undefined],
  ['1MB', undefined],
  ['0x1M', undefined],
])('%s', (text, sizeBytes) => {
  expect(parseSize(text)).toBe(sizeBytes);
});
