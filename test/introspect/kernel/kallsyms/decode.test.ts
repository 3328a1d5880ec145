// The kernel's symbol table in each of its forms, and cut off or damaged.
import {
  decodeKallsyms,
  type SymbolAddresses,
} from '../../../../introspect/kernel/kallsyms/decode.js';
import type { AddressForm } from '../../../../introspect/kernel/kallsyms/layout.js';
import { KallsymsImage, type SymbolSpec } from './kallsyms-encoder.js';

const imageStart = 0xffff_ffff_9a00_0000n;
const anchor = { name: '_stext', address: imageStart + 0x1000n };
const symbols: readonly SymbolSpec[] = [
  { type: 'T', name: '_text', address: imageStart },
  { type: 'T', name: '_stext', address: anchor.address },
  { type: 't', name: 'some_text_start', address: imageStart + 0x1040n },
  { type: 'd', name: 'init_task', address: imageStart + 0x2000n },
  { type: 'D', name: 'init_task', address: imageStart + 0x3000n },
  { type: 'd', name: 'init_task', address: imageStart + 0x4000n },
  { type: 'R', name: '__start_BTF', address: imageStart + 0x100_5ba4n },
];
const wanted = ['_text', 'init_task', '__start_BTF', 'absent'];

function decode(image: KallsymsImage, from = anchor) {
  return decodeKallsyms(image.memory, image.tables, wanted, from);
}

function found(image: KallsymsImage): SymbolAddresses {
  const result = decode(image);
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.symbols;
}

function reasonOf(image: KallsymsImage, from = anchor): string {
  const result = decode(image, from);
  return result.ok ? 'it was believed' : result.reason;
}

describe.each<AddressForm>(['percpu', 'base', 'place'])('addresses in the form "%s"', (form) => {
  test('are told by the anchor, and the global one of several symbols of a name is meant', () => {
    expect(found(new KallsymsImage(symbols, form, imageStart))).toEqual(
      new Map([
        ['_text', imageStart],
        ['_stext', anchor.address],
        ['init_task', imageStart + 0x3000n],
        ['__start_BTF', imageStart + 0x100_5ba4n],
      ]),
    );
  });

  test('are not believed when the anchor comes out anywhere else', () => {
    const image = new KallsymsImage(symbols, form, imageStart);
    expect(reasonOf(image, { name: '_stext', address: anchor.address + 0x20_0000n })).toMatch(
      /no known address form puts _stext at 0xffffffff9a201000/,
    );
  });
});

test('per-CPU symbols are absolute in the older form', () => {
  const image = new KallsymsImage(
    [...symbols, { type: 'A', name: 'absent', address: 0x2_0000n }],
    'percpu',
    imageStart,
  );
  expect(found(image).get('absent')).toBe(0x2_0000n);
});

test('a name of more than 127 tokens takes two bytes for its length, and those after it are found', () => {
  const longName = 'x'.repeat(300);
  const image = new KallsymsImage(
    [{ type: 't', name: longName, address: imageStart }, ...symbols],
    'base',
    imageStart,
  );
  expect(found(image).get('__start_BTF')).toBe(imageStart + 0x100_5ba4n);
});

test('a table without the anchor is not believed', () => {
  const image = new KallsymsImage(
    symbols.filter(({ name }) => name !== '_stext'),
    'base',
    imageStart,
  );
  expect(reasonOf(image)).toMatch(/does not hold _stext/);
});

test('names that end before the last symbol are not believed', () => {
  // Names up to the last byte of a page, so that the mapping ends where they end: before a length, and inside a name.
  for (const spare of [0, 1, 2]) {
    const bare = new KallsymsImage(symbols, 'base', imageStart).namesBytes;
    // Each of the first 300 takes 12 bytes.
    const filler = Array.from({ length: 301 }, (_, index) => ({
      type: 't',
      name: 'f'.repeat(index < 300 ? 10 : 4096 - bare - 300 * 12 - 3 - spare),
      address: imageStart,
    }));
    const image = new KallsymsImage([...symbols, ...filler], 'base', imageStart);
    expect(image.namesBytes).toBe(4096 - spare);
    expect(decode(image).ok).toBe(true);
    // What follows in the mapped page reads as empty names.
    image.setSymbolCount(symbols.length + filler.length + spare + 1);
    expect(reasonOf(image)).toMatch(/names end before symbol/);
  }
});

test.each([0, 4_000_001, 0xffff_ffff])('a table of %i symbols is not believed', (count) => {
  const image = new KallsymsImage(symbols, 'base', imageStart);
  image.setSymbolCount(count);
  expect(reasonOf(image)).toMatch(new RegExp(`expected 1 to 4000000 symbols, found ${count}`));
});

test('a token index that does not ascend is not believed', () => {
  const image = new KallsymsImage(symbols, 'base', imageStart);
  image.setTokenIndex(0x41, 0);
  expect(reasonOf(image)).toMatch(/token table is not readable or not ascending/);
});

test('tables that are not mapped are not believed', () => {
  const image = new KallsymsImage(symbols, 'base', imageStart);
  for (const table of ['numSyms', 'names', 'tokenTable', 'tokenIndex', 'offsets'] as const) {
    const result = decodeKallsyms(image.memory, { ...image.tables, [table]: 0n }, wanted, anchor);
    expect(result).toMatchObject({ ok: false });
  }
});
