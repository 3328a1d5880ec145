// What a manifest announces is counted before memory is taken for it, and what passes is decoded as before.
import * as fc from 'fast-check';
import { Packr } from 'msgpackr';
import { packValue, unpackValue } from '../../src/manifest/codec.js';
import { bodyStructure, headerStructure, maxPackCount } from '../../src/manifest/layout.js';
import { structureProblem } from '../../src/manifest/structure.js';

const nil = 0xc0;

/** A list that announces so many elements, with as many bytes of nil behind it. */
function listOfNils(count: number, given = count): Uint8Array {
  const bytes = Buffer.alloc(5 + given, nil);
  bytes[0] = 0xdd;
  bytes.writeUInt32BE(count, 1);
  return bytes;
}

const nested = (depth: number): Uint8Array =>
  Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(nil)]);

test.each<[string, Uint8Array, RegExp]>([
  ['nothing', Buffer.alloc(0), /no value/],
  ['16 MiB of nils', listOfNils(2 ** 24 - 5), /a list of 16777211, at most 262144/],
  ['a list of 4 billion that is not there', listOfNils(0xffffffff, 0), /a list of 4294967295/],
  ['a list that ends early', listOfNils(1000, 999), /it ends there/],
  ['lists in lists in lists', nested(1000), /more than 16 levels deep/],
  [
    'a string that is not there',
    Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff),
    /4294967295 bytes announced/,
  ],
  [
    'bytes that are not there',
    Buffer.of(0xc6, 0x7f, 0xff, 0xff, 0xff, 1),
    /bytes announced, and 1 left/,
  ],
  [
    'a map of 2000',
    packValue(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`${i}`, 0]))),
    /a map of 2000/,
  ],
  ['a key that is a number', Buffer.of(0x81, 1, 1), /a key that is no string/],
  ['an extension type', Buffer.of(0xd4, 0, 0), /no value that a manifest may have/],
  ['a reserved byte', Buffer.of(0xc1), /no value that a manifest may have/],
  ['more than one value', Buffer.of(1, 2), /1 bytes follow it/],
])('%s is refused', (_, bytes, message) => {
  expect(structureProblem(bytes, headerStructure)).toMatch(message);
  expect(() => unpackValue(bytes, headerStructure)).toThrow(message);
});

test('many lists within the limit of one are too many values together', () => {
  const many = Array.from({ length: 16 }, () => listOfNils(maxPackCount));
  const bytes = Buffer.concat([Buffer.of(0xdc, 0, 16), ...many]);
  expect(structureProblem(bytes, headerStructure)).toMatch(/more than 2097152 values/);
});

test('what msgpackr packs of such values is within the structure, and comes back', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,40}$/), tie('value'), { maxKeys: 20 }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (each) => {
      const bytes = packValue(each);
      expect(structureProblem(bytes, bodyStructure)).toBeUndefined();
      expect(Buffer.from(packValue(unpackValue(bytes, bodyStructure))).equals(bytes)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

// The walk decides what msgpackr gets to see, so the two must agree on where a value ends.
test('of any bytes that pass, msgpackr makes a value and takes all of them', () => {
  const reader = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });
  const typed = fc.constantFrom(
    ...[0x80, 0x81, 0x90, 0x92, 0xa0, 0xa3, 0xc0, 0xc2, 0xc4, 0xc5, 0xc6, 0xca, 0xcb, 0xcc, 0xcf],
    ...[0xd0, 0xd3, 0xd4, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0, 0x61],
  );
  const noise = fc.array(fc.oneof(typed, fc.constant(0), fc.constant(1), fc.nat(255)), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(noise, (each) => {
      const bytes = Uint8Array.from(each);
      if (structureProblem(bytes, headerStructure) !== undefined) {
        return;
      }
      // Throws where bytes are left over.
      reader.unpack(Buffer.from(bytes));
    }),
    { numRuns: 20_000 },
  );
});
