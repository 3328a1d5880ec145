// Flag masks from a kernel's own enum.
import { decodeBtf } from '../../../introspect/kernel/btf/decode.js';
import { Inconsistency } from '../../../introspect/mm/inconsistency.js';
import { pageFlagMasks, type PageFlagMasks } from '../../../introspect/mm/page-flags.js';
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

const of61 = { ...pageFlagBits, __NR_PAGEFLAGS: pageFlagCount };
/** From 6.14 on: moved, with neither slab nor error, and with dropbehind. */
const of614 = {
  PG_locked: 0,
  PG_writeback: 1,
  PG_referenced: 2,
  PG_uptodate: 3,
  PG_dirty: 4,
  PG_lru: 5,
  PG_head: 6,
  PG_reserved: 13,
  PG_private: 14,
  PG_swapbacked: 17,
  PG_dropbehind: 19,
  __NR_PAGEFLAGS: 26,
};

test('bits stand where the kernel says', () => {
  expect(masks(of61)).toMatchObject({
    lru: 1 << 4,
    head: 1 << 16,
    reserved: 1 << 12,
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
  'PG_lru',
  'PG_head',
  'PG_reserved',
  'PG_swapbacked',
  'PG_uptodate',
  'PG_dirty',
] as const)('a kernel without %s is not understood', (name) => {
  const others = Object.fromEntries(Object.entries(of61).filter(([key]) => key !== name));
  expect(() => masks(others)).toThrow(new Inconsistency(`${name} is missing`));
});

test('flags that leave no room for zone and node are not understood', () => {
  expect(() => masks({ ...of61, __NR_PAGEFLAGS: 33 })).toThrow(Inconsistency);
  expect(masks({ ...of61, __NR_PAGEFLAGS: 32 }).all).toBe(0xffff_ffff);
});

test('a kernel without the enum is not understood', () => {
  expect(() => masks({})).toThrow('__NR_PAGEFLAGS is missing');
});
