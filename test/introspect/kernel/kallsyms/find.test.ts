// Symbol tables that nothing names: found by what they hold, in the image of a kernel before 6.0.
import * as fc from 'fast-check';
import { decodeKallsyms } from '../../../../introspect/kernel/kallsyms/decode.js';
import { findKallsyms } from '../../../../introspect/kernel/kallsyms/find.js';
import {
  imageStart,
  repeatedImage,
  type SymbolSpec,
  UnstatedKallsyms,
} from './kallsyms-encoder.js';

const anchor = { name: '_stext', address: imageStart };
const digits = Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00', 'latin1');

/** `count` symbols with names of many lengths. */
function symbolsOf(count: number): readonly SymbolSpec[] {
  return Array.from({ length: count }, (_, index) =>
    index === 0
      ? { type: 'T', ...anchor }
      : {
          type: index % 3 === 0 ? 't' : 'D',
          name: `percpu_symbol_${'x'.repeat((index * 7) % 17)}${index}`,
          address: imageStart + BigInt(index * 16),
        },
  );
}

test.each([257, 512, 513, 768, 1000, 4096])('the tables of %i symbols are found', (count) => {
  const image = new UnstatedKallsyms(symbolsOf(count));
  expect(findKallsyms(image.memory, imageStart)).toEqual(image.tables);
});

test('what is found leads to the addresses of symbols', () => {
  const image = new UnstatedKallsyms([
    ...symbolsOf(700),
    { type: 'D', name: '__start_BTF', address: imageStart + 0x12_3450n },
    { type: 'A', name: 'nr_cpu_ids', address: 0x2_0000n },
  ]);
  const tables = findKallsyms(image.memory, imageStart);
  expect(tables).toBeDefined();
  const wanted = ['__start_BTF', 'nr_cpu_ids', 'absent'];
  expect(tables && decodeKallsyms(image.memory, tables, wanted, anchor)).toMatchObject({
    ok: true,
    symbols: new Map([
      ['_stext', imageStart],
      ['__start_BTF', imageStart + 0x12_3450n],
      ['nr_cpu_ids', 0x2_0000n],
    ]),
  });
});

test('any symbols at any place are found, with other runs of digits before them', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', 'b', 'X', 'Y', '_', '0', '1', '.'),
    minLength: 1,
    maxLength: 100,
  });
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 257, max: 1500 }),
      fc.integer({ min: 4096, max: 2 ** 20 }),
      fc.constantFrom(0, 0x30, 0xff),
      fc.nat(3),
      (names, count, at, fill, decoys) => {
        const symbols = Array.from({ length: count }, (_, index) => ({
          type: 'T',
          name: names[index % names.length],
          address: imageStart + BigInt(index),
        }));
        const before = Buffer.concat([
          Buffer.alloc(700, fill),
          ...Array<Buffer>(decoys).fill(Buffer.concat([digits, Buffer.alloc(300, 0x61)])),
        ]);
        const image = new UnstatedKallsyms(symbols, { before, at, fill });
        expect(findKallsyms(image.memory, imageStart)).toEqual(image.tables);
      },
    ),
    { numRuns: 60 },
  );
});

describe('tables that are damaged', () => {
  const symbols = symbolsOf(900);

  test.each<[string, (image: UnstatedKallsyms) => void]>([
    [
      'a token of a digit',
      ({ image, at, tables }) => {
        image[at(tables.tokenTable) + image.subarray(at(tables.tokenTable)).indexOf('5')] = 0x41;
      },
    ],
    [
      'a token without an end',
      ({ image, at, tables }) => {
        const start = at(tables.tokenTable);
        image.fill(0x41, start + image.subarray(start).indexOf('z'), image.length);
      },
    ],
    [
      'a token index that does not ascend',
      ({ image, at, tables }) => {
        image.writeUInt16LE(1, at(tables.tokenIndex) + 200 * 2);
      },
    ],
    [
      'a token index that does not begin at 0',
      ({ image, at, tables }) => {
        image.writeUInt16LE(1, at(tables.tokenIndex));
      },
    ],
    [
      'a marker that is not where a name begins',
      ({ image, at, markers }) => {
        const place = at(markers) + 8;
        image.writeUInt32LE(image.readUInt32LE(place) + 1, place);
      },
    ],
    [
      'markers that do not ascend',
      ({ image, at, markers }) => {
        image.writeUInt32LE(0xffff_fff0, at(markers) + 4);
      },
    ],
    [
      "a name's length",
      ({ image, at, tables }) => {
        image[at(tables.names)] += 1;
      },
    ],
    [
      'a count of more groups than there are markers',
      ({ image, at, tables }) => {
        image.writeUInt32LE(1025, at(tables.numSyms));
      },
    ],
    [
      'a count of nothing',
      ({ image, at, tables }) => {
        image.writeUInt32LE(0, at(tables.numSyms));
      },
    ],
  ])('by %s are not found', (_, damage) => {
    const image = new UnstatedKallsyms(symbols);
    damage(image);
    expect(findKallsyms(image.memory, imageStart)).toBeUndefined();
  });

  test('anywhere are found where they are, or not at all', () => {
    const intact = new UnstatedKallsyms(symbols);
    const whole = Buffer.from(intact.image);
    const start = intact.at(intact.span.start);
    const length = intact.at(intact.span.end) - start;
    const met = { found: 0, not: 0 };
    const change = fc.tuple(fc.nat(length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        whole.copy(intact.image);
        for (const [at, value] of changes) {
          intact.image[start + at] = value;
        }
        const found = findKallsyms(intact.memory, imageStart);
        if (found === undefined) {
          met.not++;
        } else {
          met.found++;
          // Where the addresses begin hangs on the count alone; `_stext` shows whether they do.
          expect({ ...found, offsets: 0n }).toEqual({ ...intact.tables, offsets: 0n });
        }
      }),
      { numRuns: 150 },
    );
    expect(met.found).toBeGreaterThan(0);
    expect(met.not).toBeGreaterThan(0);
  });
});

test('an image without any mapped page ends the search', () => {
  const { memory } = new UnstatedKallsyms(symbolsOf(300));
  expect(findKallsyms(memory, imageStart + 2n ** 30n)).toBeUndefined();
});

test.each([
  ['the digits over and over', digits],
  [
    'whole token tables over and over',
    (() => {
      const { image, tables, span } = new UnstatedKallsyms(symbolsOf(300));
      return image.subarray(Number(tables.tokenTable - imageStart), Number(span.end - imageStart));
    })(),
  ],
])('a large image of nothing but %s ends the search soon', (_, pattern) => {
  const memory = repeatedImage(Buffer.alloc(2 ** 21, pattern));
  const start = performance.now();
  expect(findKallsyms(memory, imageStart)).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(10_000);
});
