// What of a damaged image's types is refused before it is used.
import {
  expect as expectThere,
  expectArrayOf,
  Inconsistency,
} from '../../introspect/inconsistency.js';

test('what is there is given back, and what is not is named', () => {
  expect(expectThere(0, 'a number')).toBe(0);
  expect(() => {
    expectThere(undefined, 'struct page');
  }).toThrow(new Inconsistency('struct page is missing'));
});

test('an array is one whose size is that of its elements', () => {
  const array = { count: 4, sizeBytes: 32 };
  expect(expectArrayOf(8, array, 'it')).toBe(array);
  for (const other of [
    { count: 4, sizeBytes: 4 },
    { count: 2 ** 32 - 1, sizeBytes: 0 },
    { count: 5, sizeBytes: 32 },
  ]) {
    expect(() => expectArrayOf(8, other, 'zone.vm_stat')).toThrow(
      new Inconsistency(
        `zone.vm_stat has ${other.count} elements of 8 bytes in ${other.sizeBytes}`,
      ),
    );
  }
  expect(() => expectArrayOf(8, undefined, 'it')).toThrow('it is missing');
});
