// BTF blobs whole, cut off and damaged.
import * as fc from 'fast-check';
import type { Btf } from '../../../../introspect/kernel/btf/btf.js';
import { decodeBtf } from '../../../../introspect/kernel/btf/decode.js';
import { BtfEncoder } from './btf-encoder.js';

/** Every kind there is, and structs that use them in every way that queries follow. */
function sample(): { readonly encoder: BtfEncoder; readonly typeCount: number } {
  const encoder = new BtfEncoder();
  const u32 = encoder.int('unsigned int', 4);
  const u64 = encoder.int('unsigned long', 8);
  const atomic = encoder.typedef('atomic_t', encoder.volatile(encoder.const(u32)));
  const tagged = encoder.typeTag('percpu', encoder.restrict(encoder.pointer(u64)));
  const pair = encoder.array(u64, 2);
  const table = encoder.array(pair, 3);
  const anonymous = encoder.struct('', 16, [
    { name: 'next', type: tagged, offsetBits: 0 },
    { name: 'count', type: atomic, offsetBits: 64 },
  ]);
  const choice = encoder.union('', 16, [
    { name: 'words', type: pair, offsetBits: 0 },
    { name: '', type: anonymous, offsetBits: 0 },
  ]);
  const inner = encoder.struct('inner', 24, [
    { name: 'first', type: u64, offsetBits: 0 },
    { name: '', type: choice, offsetBits: 64 },
  ]);
  encoder.struct('outer', 96, [
    { name: 'low', type: u32, offsetBits: 0, bits: 3 },
    { name: 'high', type: u32, offsetBits: 3, bits: 5 },
    { name: 'byte', type: u32, offsetBits: 8, bits: 8 },
    { name: 'inner', type: inner, offsetBits: 64 },
    { name: 'table', type: table, offsetBits: 256 },
  ]);
  encoder.enumeration('colour', { RED: 0, GREEN: 7, NONE: -1 });
  encoder.enum64('wide', { SMALL: 3n, LARGE: 1n << 40n, TOO_LARGE: 1n << 63n });
  encoder.forward('somewhere');
  const prototype = encoder.functionPrototype(u32, [u64, u32]);
  const run = encoder.function('run', prototype);
  encoder.dataSection('.data..percpu', [
    encoder.variable('one', u64),
    encoder.variable('two', u32),
  ]);
  encoder.float('double', 8);
  const last = encoder.declarationTag('note', run);
  return { encoder, typeCount: last + 1 };
}

function decoded(blob: Buffer): Btf {
  const result = decodeBtf(blob);
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.btf;
}

function reasonOf(blob: Buffer): string {
  const result = decodeBtf(blob);
  return result.ok ? 'it was accepted' : result.reason;
}

test.each([24, 32])(
  'all kinds decode, and types after each are found (header of %i bytes)',
  (size) => {
    const { encoder, typeCount } = sample();
    const btf = decoded(encoder.encode(size));
    expect(btf.typeCount).toBe(typeCount);
    expect(btf.struct('outer')?.sizeBytes).toBe(96);
  },
);

test.each([
  ['a member after bitfields', 'inner', { offsetBytes: 8, sizeBytes: 24, count: 1 }],
  ['a bitfield that begins a byte', 'byte', { offsetBytes: 1, sizeBytes: 4, count: 1 }],
  ['a bitfield inside a byte', 'high', undefined],
  ['a path', 'inner.first', { offsetBytes: 8, sizeBytes: 8, count: 1 }],
  ['through an anonymous union', 'inner.words', { offsetBytes: 16, sizeBytes: 16, count: 2 }],
  ['through an anonymous struct in it', 'inner.next', { offsetBytes: 16, sizeBytes: 8, count: 1 }],
  ['behind typedef and qualifiers', 'inner.count', { offsetBytes: 24, sizeBytes: 4, count: 1 }],
  ['an array of arrays', 'table', { offsetBytes: 32, sizeBytes: 48, count: 6 }],
  ['an anonymous member of a member, unnamed', 'words', undefined],
  ['what is not there', 'nothing', undefined],
  ['a member of what has none', 'table.first', undefined],
])('a layout gives %s', (_, path, expected) => {
  expect(decoded(sample().encoder.encode()).struct('outer')?.member(path)).toEqual(expected);
});

test('the first path that exists wins', () => {
  const outer = decoded(sample().encoder.encode()).struct('outer');
  expect(outer?.member('nothing', 'table', 'inner')?.offsetBytes).toBe(32);
});

test('enums of both widths give their values, signed, without those that a number cannot hold', () => {
  const btf = decoded(sample().encoder.encode());
  expect(btf.enumeration('colour')).toEqual(
    new Map([
      ['RED', 0],
      ['GREEN', 7],
      ['NONE', -1],
    ]),
  );
  expect(btf.enumeration('wide')).toEqual(
    new Map([
      ['SMALL', 3],
      ['LARGE', 2 ** 40],
    ]),
  );
});

test('a struct and an enum may bear the same name, and the first struct of a name is meant', () => {
  const encoder = new BtfEncoder();
  encoder.enumeration('zone', { A: 1 });
  encoder.struct('zone', 8, []);
  encoder.struct('zone', 16, []);
  const btf = decoded(encoder.encode());
  expect(btf.struct('zone')?.sizeBytes).toBe(8);
  expect(btf.enumeration('zone')?.get('A')).toBe(1);
});

describe('a blob is refused', () => {
  const blob = sample().encoder.encode();
  const changed = (change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(blob);
    change(copy);
    return copy;
  };

  test.each([
    ['without a header', blob.subarray(0, 23), /header of 24 bytes, found 23/],
    ['with another magic', changed((copy) => copy.writeUInt16BE(0xeb9f, 0)), /magic 0xeb9f/],
    ['of another version', changed((copy) => (copy[2] = 2)), /version 1, found 2/],
    ['with a header of 20 bytes', changed((copy) => copy.writeUInt32LE(20, 4)), /header length 20/],
    [
      'whose strings end beyond it',
      changed((copy) => copy.writeUInt32LE(copy.readUInt32LE(20) + 1, 20)),
      /sections end beyond/,
    ],
    [
      'whose types end beyond it',
      changed((copy) => copy.writeUInt32LE(0xffff_fffc, 12)),
      /sections end beyond/,
    ],
    ['whose strings do not end', changed((copy) => (copy[copy.length - 1] = 0x78)), /NUL/],
    [
      'whose last type goes on past its section',
      changed((copy) => copy.writeUInt32LE(copy.readUInt32LE(12) - 4, 12)),
      /the last type ends at/,
    ],
    [
      'whose type has its name outside the strings',
      changed((copy) => copy.writeUInt32LE(copy.readUInt32LE(20), 24)),
      /type 1 .*name outside/,
    ],
  ])('%s', (_, damaged, reason) => {
    expect(reasonOf(damaged)).toMatch(reason);
  });

  test('with a kind that is not known, for nothing after it can be found', () => {
    const encoder = new BtfEncoder();
    encoder.int('int', 4);
    encoder.unknownKind();
    expect(reasonOf(encoder.encode())).toMatch(/type 2 at 16 has the unknown kind 77/);
  });

  test('when it is cut off anywhere', () => {
    for (let length = 0; length < blob.length; length++) {
      expect(decodeBtf(blob.subarray(0, length)).ok).toBe(false);
    }
  });
});

describe('a damaged blob that decodes', () => {
  const names = ['outer', 'inner', 'colour', 'wide', 'somewhere'];
  const paths = ['inner', 'inner.first', 'inner.next', 'inner.count', 'table', 'byte', 'none.at'];

  /** Asks all that introspection ever asks, and holds every answer to what callers rely on. */
  function query(btf: Btf): void {
    for (const name of names) {
      const struct = btf.struct(name);
      for (const path of struct === undefined ? [] : paths) {
        const member = struct?.member(path);
        if (struct !== undefined && member !== undefined) {
          expect(Number.isInteger(member.offsetBytes)).toBe(true);
          expect(member.offsetBytes + member.sizeBytes).toBeLessThanOrEqual(struct.sizeBytes);
        }
      }
      btf.enumeration(name);
    }
  }

  test('by one or two changed bytes answers or does not, but neither throws nor lies outside the struct', () => {
    const blob = sample().encoder.encode();
    const oneByte = fc.tuple(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(oneByte, { minLength: 1, maxLength: 2 }), (changes) => {
        const copy = Buffer.from(blob);
        for (const [at, flip] of changes) {
          copy[at] ^= flip;
        }
        const result = decodeBtf(copy);
        if (result.ok) {
          query(result.btf);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('with typedefs in a circle has no member behind them', () => {
    const encoder = new BtfEncoder();
    const first = encoder.typedef('first', 2);
    encoder.typedef('second', first);
    encoder.struct('holder', 8, [{ name: 'member', type: first, offsetBits: 0 }]);
    const holder = decoded(encoder.encode()).struct('holder');
    expect(holder?.member('member')).toEqual({ offsetBytes: 0, sizeBytes: 0, count: 1 });
    expect(holder?.member('member.deeper')).toBeUndefined();
  });

  test('with a struct inside itself, twice over and without a name, is searched in finite time', () => {
    const encoder = new BtfEncoder();
    encoder.struct('holder', 8, [
      { name: '', type: 1, offsetBits: 0 },
      { name: '', type: 1, offsetBits: 0 },
      { name: 'after', type: 2, offsetBits: 0 },
    ]);
    encoder.int('int', 4);
    const holder = decoded(encoder.encode()).struct('holder');
    expect(holder?.member('nothing')).toBeUndefined();
    expect(holder?.member('after')?.sizeBytes).toBe(4);
  });

  test('with an array of itself has some size', () => {
    const encoder = new BtfEncoder();
    encoder.array(1, 2);
    encoder.struct('holder', 8, [{ name: 'member', type: 1, offsetBits: 0 }]);
    const holder = decoded(encoder.encode()).struct('holder');
    expect(holder?.member('member')?.sizeBytes).toBe(0);
  });

  test.each([
    ['void', 0],
    ['a type beyond the last', 99],
  ])('with a member of type %s does not take the first type for it', (_, type) => {
    const encoder = new BtfEncoder();
    encoder.struct('first', 8, [{ name: 'secret', type: 3, offsetBits: 0 }]);
    encoder.struct('holder', 8, [
      { name: 'named', type, offsetBits: 0 },
      { name: '', type, offsetBits: 0 },
    ]);
    encoder.int('int', 4);
    const holder = decoded(encoder.encode()).struct('holder');
    expect(holder?.member('named.secret')).toBeUndefined();
    expect(holder?.member('secret')).toBeUndefined();
  });

  test('with a struct larger than any kernel has does not know it', () => {
    const encoder = new BtfEncoder();
    encoder.struct('page', 0xffff_ff00, []);
    expect(decoded(encoder.encode()).struct('page')).toBeUndefined();
  });
});
