// What is noted for healing, on a fake kernel: where struct pages lie, and what becomes of pages that could not be healed.
import { planReread } from '../../../introspect/heal/heal.js';
import { classify } from '../../../introspect/label/classify.js';
import { labelNumbers, type PageLabel } from '../../../introspect/page-class.js';
import { FakeKernel, firstOrdinaryPfn as first } from '../fake-kernel.js';
import { structPageBytes } from '../mm/struct-page.js';

const cached = { flags: ['PG_lru', 'PG_uptodate'] } as const;

function classifyFake(fake: FakeKernel) {
  return classify(fake.introspected);
}

function guestWithCache(): FakeKernel {
  const fake = new FakeKernel();
  fake.addFreeBlock(first + 200, 0);
  const { mapping } = fake.addFile();
  fake.setPage(first, { ...cached, mapping });
  fake.setPage(first + 130, { ...cached, mapping });
  return fake;
}

function labelAt(fake: FakeKernel, pfn: number): PageLabel | undefined {
  const number = classifyFake(fake).labels[pfn];
  return (Object.keys(labelNumbers) as PageLabel[]).find((label) => labelNumbers[label] === number);
}

test('the struct pages of clean cache are noted where the page tables have them', () => {
  const fake = guestWithCache();
  const { healing } = classifyFake(fake);
  const at = (pfn: number) => fake.gpaOf(fake.structPageAddress(pfn));
  expect(healing).toMatchObject({
    freeByte: 0,
    memmapBase: fake.memmapBase,
    structPage: { sizeBytes: structPageBytes, tailsHoldMask: false },
    memmapRuns: [
      { firstPfn: first, pageCount: 64, gpa: at(first) },
      { firstPfn: first + 128, pageCount: 64, gpa: at(first + 128) },
    ],
  });
  if (healing === undefined) {
    throw new Error('no facts');
  }
  const plan = planReread(healing, fake.ram, [{ firstPage: first + 130, pageCount: 1 }]);
  expect([...plan.edits.imageOffset]).toEqual([at(first + 130)]);
});

test('nothing is believed where a struct page lies in a page that may be lost itself', () => {
  const fake = guestWithCache();
  expect(labelAt(fake, first)).toBe('file-reread');
  // The page that holds the struct pages of the cache is on a CPU's free list, says the list.
  const memmapPfn = fake.gpaOf(fake.structPageAddress(first)) / 4096;
  fake.setPcpList(0, 0, [memmapPfn]);
  fake.setPcpCount(0, 1);
  const map = classifyFake(fake);
  expect(map.evidence).toEqual({
    kind: 'inconsistent',
    reason: `frame ${memmapPfn} holds what the labels rest on, and is labelled free-pcp`,
  });
  expect(map.healing).toBeUndefined();
});

test('free pages whose content the kernel looks at, nobody knows for what, are kept', () => {
  const fake = guestWithCache();
  const key = fake.allocateBytes(8);
  fake.setU64(key, 1n);
  fake.symbols.set('_page_poisoning_enabled', key);
  fake.ram.bytes.fill(7, (first + 200) * 4096, (first + 201) * 4096);
  const map = classifyFake(fake);
  expect(map.labels[first + 200]).toBe(labelNumbers.unknown);
  expect(map.labels[first]).toBe(labelNumbers['file-reread']);
  expect(map.warnings.join()).toContain('page poisoning is on');
});

test('under page poisoning lost free pages are to have its pattern', () => {
  const fake = guestWithCache();
  const key = fake.allocateBytes(8);
  fake.setU64(key, 1n);
  fake.symbols.set('_page_poisoning_enabled', key);
  fake.ram.bytes.fill(0xaa, (first + 200) * 4096, (first + 201) * 4096);
  expect(classifyFake(fake).healing?.freeByte).toBe(0xaa);
});
