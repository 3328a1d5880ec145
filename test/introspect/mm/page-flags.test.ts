// Flag masks from a kernel's own enum.
import { Inconsistency } from '../../../introspect/inconsistency.js';
import { decodeBtf } from '../../../introspect/kernel/btf/decode.js';
import { type PageFlagMasks, pageFlagMasks } from '../../../introspect/mm/page-flags.js';
import { BtfEncoder } from '../kernel/btf/btf-encoder.js';
import { pageFlagBits, pageFlagCount } from './struct-page.js';

function masks(bits: Readonly<Record<string, number>>): PageFlagMasks {
  const encoder = new BtfEncoder();
  encoder.enumeration('pageflags', bits);
  const result = decodeBtf(encoder.encode());
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return pageFlagMasks(result.btf);
}

/** The flags in a kernel's order, each with its place as its bit, then their number, then aliases. */
function enumOf(
  own: readonly string[],
  aliases: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  return {
    ...Object.fromEntries(own.map((name, bit) => [name, bit])),
    __NR_PAGEFLAGS: own.length,
    ...aliases,
  };
}
const namesOf61 = Object.keys(pageFlagBits).slice(0, pageFlagCount);
const of61 = enumOf(namesOf61, { PG_readahead: 18, PG_swapcache: 10, PG_checked: 10 });
/** From 6.14 on: moved, with neither slab nor error, and with dropbehind. */
const namesOf614 = [
  ...['PG_locked', 'PG_writeback', 'PG_referenced', 'PG_uptodate', 'PG_dirty', 'PG_lru', 'PG_head'],
  ...['PG_waiters', 'PG_active', 'PG_workingset', 'PG_owner_priv_1', 'PG_owner_2', 'PG_arch_1'],
  ...['PG_reserved', 'PG_private', 'PG_private_2', 'PG_reclaim', 'PG_swapbacked'],
  ...['PG_unevictable', 'PG_dropbehind', 'PG_mlocked', 'PG_hwpoison', 'PG_young', 'PG_idle'],
];
const of614 = enumOf(namesOf614, { PG_readahead: 16, PG_mappedtodisk: 11, PG_swapcache: 10 });

test('bits stand where the kernel says', () => {
  expect(masks(of61)).toMatchObject({
    lru: 1 << 4,
    head: 1 << 16,
    reserved: 1 << 12,
    locked: 1 << 0,
    swapbacked: 1 << 19,
    uptodate: 1 << 2,
    slab: 1 << 9,
    busy: (1 << 0) | (1 << 3) | (1 << 15),
    all: 2 ** 26 - 1,
  });
  expect(masks(of614)).toMatchObject({
    lru: 1 << 5,
    head: 1 << 6,
    uptodate: 1 << 3,
    slab: 0,
    busy: (1 << 0) | (1 << 1) | (1 << 4),
  });
});

test.each([
  'PG_locked',
  'PG_dirty',
  'PG_writeback',
  'PG_private',
  'PG_private_2',
  'PG_unevictable',
  'PG_mlocked',
  'PG_checked',
  'PG_swapbacked',
  'PG_reserved',
  'PG_slab',
  'PG_error',
  'PG_hwpoison',
  'PG_waiters',
  'PG_arch_1',
] as const)('%s is never harmless for a clean page of a file', (name) => {
  expect(masks(of61).harmlessForCleanFile & (1 << pageFlagBits[name])).toBe(0);
});

test('a flag that is not known is not harmless', () => {
  expect(masks(of614).harmlessForCleanFile & (1 << 19)).toBe(0);
});

test.each([
  ['6.1', of61],
  ['6.14', of614],
])("what only tells of a page's age, read-ahead and mapped blocks is harmless in %s", (_, bits) => {
  const names = ['referenced', 'uptodate', 'lru', 'active', 'workingset', 'head', 'young', 'idle'];
  const expected = [...names, 'readahead', 'mappedtodisk'].reduce(
    (sum, name) => sum | (1 << (bits[`PG_${name}`] ?? bits['PG_mappedtodisk'])),
    0,
  );
  expect(masks(bits).harmlessForCleanFile).toBe(expected);
});

test.each([
  'PG_lru',
  'PG_head',
  'PG_reserved',
  'PG_swapbacked',
  'PG_uptodate',
  'PG_dirty',
] as const)('a kernel without %s is not understood', (name) => {
  const others = namesOf61.map((other) => (other === name ? 'PG_other' : other));
  expect(() => masks(enumOf(others))).toThrow(new Inconsistency(`${name} is missing`));
});

test('flags that leave no room for zone and node are not understood', () => {
  const more = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, bit) => namesOf61.at(bit) ?? `PG_later_${bit}`);
  expect(() => masks(enumOf(more(33)))).toThrow(Inconsistency);
  expect(masks(enumOf(more(32))).all).toBe(0xffff_ffff);
});

test('flags that do not count up are not understood, whichever it is', () => {
  for (const name of [...namesOf61, '__NR_PAGEFLAGS']) {
    for (let bit = 0; bit < 5; bit++) {
      const damaged = { ...of61, [name]: of61[name] ^ (1 << bit) };
      expect(() => masks(damaged)).toThrow(
        /^the enum pageflags does not count up|^expected at most/,
      );
    }
  }
});

test('a second name makes harmless what it is a name of, where the kernel has it, and nothing else', () => {
  const { harmlessForCleanFile } = masks(of614);
  const without = (name: string): number =>
    masks(Object.fromEntries(Object.entries(of614).filter(([key]) => key !== name)))
      .harmlessForCleanFile;
  expect(without('PG_readahead')).toBe(harmlessForCleanFile & ~(1 << 16));
  expect(without('PG_mappedtodisk')).toBe(harmlessForCleanFile & ~(1 << 11));
  const moved = { ...of614, PG_readahead: 20, PG_mappedtodisk: 14 };
  expect(masks(moved).harmlessForCleanFile).toBe(harmlessForCleanFile & ~(1 << 16) & ~(1 << 11));
});

test('a kernel without the enum is not understood', () => {
  expect(() => masks({})).toThrow('__NR_PAGEFLAGS is missing');
});
