// Where the members of struct page stand, in each form that kernels gave them.
import { Inconsistency } from '../../../introspect/inconsistency.js';
import { decodeBtf } from '../../../introspect/kernel/btf/decode.js';
import { pageLayout } from '../../../introspect/mm/page-layout.js';
import { BtfEncoder, type MemberSpec } from '../kernel/btf/btf-encoder.js';
import { type Era, kernelTypes } from '../kernel-types.js';

const common = {
  strideWords: 16,
  flags: 0,
  compoundHead: 2,
  mapping: 6,
  index: 8,
  private: 10,
  type: 12,
  refcount: 13,
};

test.each<[Era, object]>([
  [
    '5.10',
    { tailsHoldMask: false, order: { word: 4, shift: 8 }, destructor: { word: 4, shift: 0 } },
  ],
  ['6.1', { tailsHoldMask: false, order: { word: 4, shift: 8 }, destructor: undefined }],
  ['7.3', { tailsHoldMask: true, order: { word: 0, shift: 0 }, destructor: undefined }],
])('of a kernel of %s', (era, own) => {
  expect(pageLayout(kernelTypes(era))).toEqual({ ...common, ...own });
});

/** A struct page of some size, in which one member stands somewhere else, or is not there. */
function typesWith(
  change: { readonly member?: string; readonly to?: number | undefined },
  { pageBytes = 64, folioOrder = 81 } = {},
) {
  const encoder = new BtfEncoder();
  const u8 = encoder.int('unsigned char', 1);
  const u64 = encoder.int('unsigned long', 8);
  const offsets = {
    flags: 0,
    compound_head: 8,
    mapping: 24,
    __folio_index: 32,
    private: 40,
    _mapcount: 48,
    _refcount: 52,
  };
  const members = Object.entries({ ...offsets, [change.member ?? 'flags']: change.to ?? 0 })
    .filter(([name]) => !('to' in change && change.to === undefined && name === change.member))
    .map(([name, at]): MemberSpec => ({ name, type: u64, offsetBits: at * 8 }));
  encoder.struct('page', pageBytes, members);
  encoder.struct('folio', 4 * pageBytes, [
    { name: '_folio_order', type: u8, offsetBits: folioOrder * 8 },
  ]);
  encoder.struct('zone', 8, [{ name: 'vmemmap_tails', type: u64, offsetBits: 0 }]);
  const result = decodeBtf(encoder.encode());
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.btf;
}

test('an index under its later name is found', () => {
  expect(pageLayout(typesWith({})).index).toBe(8);
});

test('tails hold no mask where the size of struct page is no power of two', () => {
  expect(pageLayout(typesWith({})).tailsHoldMask).toBe(true);
  expect(pageLayout(typesWith({}, { pageBytes: 80, folioOrder: 100 })).tailsHoldMask).toBe(false);
});

test.each([
  'flags',
  'compound_head',
  'mapping',
  '__folio_index',
  'private',
  '_mapcount',
  '_refcount',
])('without %s nothing is understood', (member) => {
  expect(() => pageLayout(typesWith({ member, to: undefined }))).toThrow(Inconsistency);
});

test('a member that is not at a word of its own is not understood', () => {
  expect(() => pageLayout(typesWith({ member: 'mapping', to: 26 }))).toThrow(
    'page.mapping lies at byte 26, no multiple of 4',
  );
});

test.each([0, 63, 128, 200])(
  'an order at byte %i, outside the second page, is not understood',
  (at) => {
    expect(() => pageLayout(typesWith({}, { folioOrder: at }))).toThrow(
      'the order of compound pages is not in their second struct page',
    );
  },
);
