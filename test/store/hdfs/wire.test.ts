// The codec by itself: what it writes it reads, and what others write, whatever it is, is a value or an error of ours.

import fc from 'fast-check';
import { ParsError } from '../../../introspect/pars-error.js';
import {
  anyUint64,
  bool,
  bytes,
  enumeration,
  sfixed32,
  sfixed64,
  sint32,
  sint64,
  string,
  uint32,
  uint64,
} from '../../../src/store/hdfs/wire/field-types.js';
import { message, optional, repeated, required } from '../../../src/store/hdfs/wire/message.js';

const inner = message('Inner', { name: required(1, string), count: optional(15, uint32) });
const outer = message('Outer', {
  id: required(1, anyUint64),
  size: optional(2, uint64),
  small: optional(3, sint32),
  large: optional(4, sint64),
  fixed: optional(5, sfixed32),
  long: optional(6, sfixed64),
  isOpen: optional(7, bool),
  data: optional(8, bytes),
  parts: repeated(9, inner, 5),
  numbers: repeated(1000, enumeration, 5),
});

const uint32s = fc.nat(2 ** 32 - 1);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const values = fc.record({
  id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  size: maybe(fc.maxSafeNat()),
  small: maybe(fc.integer()),
  large: maybe(fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 })),
  fixed: maybe(fc.integer()),
  long: maybe(fc.maxSafeInteger()),
  isOpen: maybe(fc.boolean()),
  data: maybe(fc.uint8Array().map((array) => Buffer.from(array))),
  parts: fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), count: maybe(uint32s) }), {
    maxLength: 5,
  }),
  numbers: fc.array(uint32s, { maxLength: 5 }),
});

function refusalOf(act: () => unknown): ParsError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ParsError) {
      return error;
    }
    throw error;
  }
}

/** The bytes of a field by itself: its tag, then its value. */
function field(number: number, wireType: number, ...content: readonly number[]): Buffer {
  return Buffer.from([number * 8 + wireType, ...content]);
}

const idOne = field(1, 0, 1);

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(outer.decode(outer.encode(value), 'a test')).toEqual(value);
    }),
  );
});

test('an encoding that is delimited has its length before it', () => {
  fc.assert(
    fc.property(values, (value) => {
      const plain = outer.encode(value);
      const around = message('Around', { it: required(1, outer) });
      const delimited = outer.encodeDelimited(value);
      expect(around.encode({ it: value })).toEqual(Buffer.concat([field(1, 2), delimited]));
      expect(delimited.subarray(-plain.length)).toEqual(plain);
    }),
  );
});

test('a message cut short anywhere is refused, or its last fields are missing', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (value, share) => {
      const whole = outer.encode(value);
      const cut = whole.subarray(0, Math.floor(share * (whole.length - 1)));
      const refusal = refusalOf(() => outer.decode(cut, 'a test'));
      if (refusal !== undefined) {
        expect(refusal.code).toBe('unsupported');
      }
    }),
  );
});

test('whatever bytes there are, they are a message or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const refusal = refusalOf(() => outer.decode(Buffer.from(noise), 'a test'));
      if (refusal !== undefined) {
        expect(refusal.message).toMatch(/^a test: no message of Hadoop's/);
      }
    }),
    { numRuns: 1000 },
  );
});

test('fields that are not known are passed over', () => {
  const unknown = [
    field(14, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
    field(14, 1, 1, 2, 3, 4, 5, 6, 7, 8),
    field(14, 2, 3, 1, 2, 3),
    field(14, 5, 1, 2, 3, 4),
  ];
  const found = outer.decode(Buffer.concat([...unknown, idOne, ...unknown]), 'a test');
  expect(found).toEqual({ id: 1n, parts: [], numbers: [] });
});

test('numbers of a list are read apart and packed, and a field given twice counts as it was last', () => {
  const numbers = (...content: readonly number[]) => Buffer.from([0xc2, 0x3e, ...content]);
  const apart = Buffer.from([0xc0, 0x3e, 7]);
  const found = outer.decode(
    Buffer.concat([idOne, numbers(2, 1, 2), apart, numbers(0), field(1, 0, 9)]),
    'a test',
  );
  expect(found).toEqual({ id: 9n, parts: [], numbers: [1, 2, 7] });
});

const hostile: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a length of 2^40', field(8, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20), /1099511627776 bytes more/],
  ['a length past the end of what is around', field(9, 2, 3, 0x0a, 5, 65), /5 bytes more, found 1/],
  ['a varint without an end', field(2, 0, ...Array<number>(12).fill(0xff)), /at most 10 bytes/],
  ['a number over 2^53', field(2, 0, ...Array<number>(8).fill(0xff), 1), /below 2\^53/],
  [
    'a number over 2^32',
    Buffer.concat([field(9, 2, 6, 0x78), Buffer.alloc(4, 0xff), Buffer.from([0x7f])]),
    /32 bits/,
  ],
  ['a group', field(14, 3), /wire type of 0, 1, 2 or 5, found 3/],
  ['a field of another wire type', field(8, 0, 1), /Outer.data with the wire type 2, found 0/],
  ['the field number 0', Buffer.from([0]), /field number/],
  [
    'more elements than can be',
    Buffer.concat(Array<Buffer>(6).fill(field(9, 2, 2, 0x0a, 0))),
    /at most 5 of Outer.parts/,
  ],
  [
    'more numbers than can be',
    Buffer.from([0xc2, 0x3e, 6, 1, 1, 1, 1, 1, 1]),
    /at most 5 of Outer.numbers/,
  ],
  ['an end without what must be there', field(2, 0, 1), /Outer.id/],
];
test.each(hostile)('%s is refused in words', (_, content, words) => {
  const refusal = refusalOf(() => outer.decode(content, 'a test'));
  expect(refusal?.code).toBe('unsupported');
  expect(refusal?.message).toMatch(words);
});
