// A block of a coded file has as many data units as cells, up to what the policy has.

import { codingOf } from '../../../src/store/hadoop/erasure-code.js';

const mebibyte = 2 ** 20;
const coded = (ecPolicy: string) => ({ ecBit: true, ecPolicy });

test.each([
  ['RS-6-3-1024k', 64 * mebibyte, 6, 3],
  ['RS-3-2-1024k', 3 * mebibyte, 3, 2],
  ['RS-3-2-1024k', 2 * mebibyte, 2, 2],
  ['RS-3-2-1024k', 2 * mebibyte + 1, 3, 2],
  ['RS-3-2-1024k', 1, 1, 2],
  ['RS-LEGACY-6-3-1024k', 64 * mebibyte, 6, 3],
  ['XOR-2-1-64k', mebibyte, 2, 1],
])('%s, %i bytes: %i units of data and %i of parity', (policy, sizeBytes, data, parity) => {
  expect(codingOf(coded(policy), sizeBytes)).toEqual({
    dataUnitCount: data,
    parityUnitCount: parity,
  });
});

test('what is not coded has no code, and a policy of another form is not known', () => {
  expect(codingOf({}, mebibyte)).toBeUndefined();
  expect(codingOf({ ecBit: false }, mebibyte)).toBeUndefined();
  for (const policy of ['', 'RS', 'RS-0-3-1024k', 'RS-6-3-0k', 'RS-6-3']) {
    expect(codingOf(coded(policy), mebibyte)).toBe('unknown');
  }
  expect(codingOf({ ecBit: true }, mebibyte)).toBe('unknown');
});
