// Two readings of the same evidence, written apart: classify's loop over millions of struct pages, and explain's path from
// one frame. They must come to the same label, on a real guest and on structures that do not hold together.
import fc from 'fast-check';
import { Explainer, type PageExplanation } from '../../../introspect/explain/explain.js';
import { classify } from '../../../introspect/label/classify.js';
import { findKernel, type Introspected } from '../../../introspect/label/find-kernel.js';
import type { PageMap } from '../../../introspect/label/page-map.js';
import { openRawFile } from '../../../introspect/memory/formats/raw-file.js';
import { endPfn, pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import { fixtureGuest, type FixtureName } from '../../guest/fixtures.js';
import { FakeKernel, firstOrdinaryPfn as first, frameCount } from '../fake-kernel.js';
import { compound, freeBlock, freeHead, type StructPage, typeValues } from '../mm/struct-page.js';

const bootTimeoutMs = 300_000;

function explained(pages: readonly (PageExplanation | undefined)[]) {
  return pages.map((page) => page && { pfn: page.pfn, comesTo: page.conclusion });
}

describe.each<FixtureName>(['aged', 'aboveHole'])('guest %s', (name) => {
  let image: ReturnType<typeof openRawFile> | undefined;
  let introspected: Introspected;
  let map: PageMap;
  let explainer: Explainer;

  beforeAll(async () => {
    image = openRawFile((await fixtureGuest(name)).ramPath);
    introspected = findKernel(image);
    map = classify(introspected);
    explainer = new Explainer(introspected, map);
  }, bootTimeoutMs);
  afterAll(() => {
    image?.close();
  });

  /** Up to `count` frames with the label, spread over all of them. */
  function framesWith(label: number, count: number): readonly number[] {
    const found: number[] = [];
    for (const { gpaStart, sizeBytes, imageOffset } of map.regions) {
      const offset = (gpaStart - imageOffset) / pageSizeBytes;
      const page = imageOffset / pageSizeBytes;
      for (let at = page; at < page + sizeBytes / pageSizeBytes; at++) {
        if (map.labels[at] === label) {
          found.push(at + offset);
        }
      }
    }
    const step = Math.max(1, found.length / count);
    return Array.from({ length: Math.min(count, found.length) }, (_, index) =>
      found.at(Math.floor(index * step)),
    ).filter((pfn) => pfn !== undefined);
  }

  test('the evidence comes to the label of classify, for thousands of pages of every label', () => {
    let pageCount = 0;
    for (const { number, label } of pageClasses) {
      const pfns = framesWith(number, 300);
      pageCount += pfns.length;
      expect(explained(pfns.map((pfn) => explainer.explain(pfn)))).toEqual(
        pfns.map((pfn) => ({ pfn, comesTo: label })),
      );
    }
    expect(pageCount).toBeGreaterThan(2500);
  });

  test('the evidence comes to the label of classify, for thousands of pages wherever they are', () => {
    const frames = fc.sample(fc.nat(endPfn(map.regions) - 1), { numRuns: 3000, seed: 4096 });
    const pages = frames.map((pfn) => explainer.explain(pfn)).filter((page) => page !== undefined);
    expect(pages.length).toBeGreaterThan(1500);
    expect(pages.filter(({ agrees }) => !agrees)).toEqual([]);
  });

  test('a page of a file is led back to its inode, its name and its disk', () => {
    const pages = framesWith(labelNumbers['file-reread'], 20).map((pfn) => explainer.explain(pfn));
    for (const page of pages) {
      expect(page?.memmap?.file).toMatchObject({
        fileSystem: 'ext4',
        disk: expect.stringMatching(/^vd[a-z]$/) as unknown,
        kind: 'disk-file',
        path: expect.stringMatching(/^\/./) as unknown,
        linkCount: 1,
      });
      expect(page?.checks.filter(({ condition }) => condition.includes('within the file'))).toEqual(
        [expect.objectContaining({ holds: true })],
      );
    }
  });
});

/** The frames among `count` whose evidence comes to something else than their label. */
function disagreements(fake: FakeKernel, from = 0, count = frameCount) {
  const introspected = fake.introspected;
  const map = classify(introspected);
  const explainer = new Explainer(introspected, map);
  const pages = Array.from({ length: count }, (_, index) => explainer.explain(from + index));
  return {
    map,
    pages,
    wrong: pages
      .filter((page) => page?.agrees !== true)
      .map((page) => ({ pfn: page?.pfn, label: page?.label, comesTo: page?.conclusion })),
  };
}

function smallGuest(): FakeKernel {
  const fake = new FakeKernel();
  fake.addFreeBlock(first, 3);
  fake.addFreeBlock(first + 16, 0);
  fake.setPcpList(0, 0, [first + 20, first + 18]);
  fake.setPcpCount(0, 2);
  fake.setPage(first + 30, {
    flags: ['PG_lru', 'PG_uptodate'],
    mapping: fake.addFile().mapping,
  });
  fake.setPages(
    first + 32,
    compound(
      { flags: ['PG_lru', 'PG_uptodate'], mapping: fake.addFile().mapping, refcount: 4 },
      2,
      fake.structPageAddress(first + 32),
    ),
  );
  return fake;
}

describe('structures of a fake kernel', () => {
  test('that hold together come to their labels', () => {
    const { map, wrong } = disagreements(smallGuest());
    expect(map.evidence.kind).toBe('complete');
    expect(wrong).toEqual([]);
  });

  test.each<[string, number, PageLabel, (fake: FakeKernel) => void]>([
    [
      'a zone that counts other pages, but whose lists lead to its blocks',
      first,
      'free',
      (fake) => {
        fake.addToFreePageCount(1);
      },
    ],
    [
      'a block that the counts do not hold and no list leads to',
      first + 44,
      'unknown',
      (fake) => {
        fake.setPages(first + 44, freeBlock(2));
      },
    ],
    [
      'a free block with a frame in use',
      first + 3,
      'unknown',
      (fake) => {
        fake.setPage(first + 5, {});
      },
    ],
    [
      'a tail that leads elsewhere',
      first + 33,
      'unknown',
      (fake) => {
        fake.setPage(first + 34, { compoundHead: 1n });
      },
    ],
    [
      'a CPU list longer than it says',
      first + 18,
      'other',
      (fake) => {
        fake.setPcpCount(0, 1);
      },
    ],
    [
      'a CPU list with a page in use',
      first + 20,
      'reserved',
      (fake) => {
        // But for the link, which the flags do not stand on.
        fake.set('page', fake.structPageAddress(first + 20), 'flags', 0x4000_0000_0000_1000n);
      },
    ],
  ])('and do not: %s', (_, pfn, label, damage) => {
    const fake = smallGuest();
    damage(fake);
    const { map, pages, wrong } = disagreements(fake);
    expect(map.evidence.kind).toBe('partial');
    expect(wrong).toEqual([]);
    expect(pages[pfn]?.label).toBe(label);
  });

  test('and any heads, tails and pages in use, wherever they stand, come to the same', () => {
    const blank = new FakeKernel();
    const page = fc.oneof<fc.Arbitrary<StructPage>[]>(
      fc.constant({ refcount: 0 }),
      fc.nat(5).map(freeHead),
      fc.constant({ flags: ['PG_head'] }),
      fc.record({ order: fc.nat(4), refcount: fc.nat(1) }),
      fc
        .nat(15)
        .map((head) => ({ compoundHead: blank.structPageAddress(first + head) | 1n, order: 2 })),
      fc.constantFrom<StructPage>(
        { flags: ['PG_slab'] },
        { flags: ['PG_reserved'] },
        { type: typeValues.offline },
        { flags: ['PG_swapbacked', 'PG_lru'], mapping: 0xffff_8880_0000_0001n },
        { flags: ['PG_swapbacked', 'PG_swapcache'], mapping: 0n },
        { flags: ['PG_hwpoison'] },
        { mapping: 0xffff_8880_0030_0000n },
      ),
    );
    fc.assert(
      fc.property(fc.array(page, { minLength: 1, maxLength: 48 }), (pages) => {
        const fake = smallGuest();
        fake.setPages(first, pages);
        expect(disagreements(fake, first, 64).wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('a frame outside the image has no explanation', () => {
    const introspected = smallGuest().introspected;
    const explainer = new Explainer(introspected, classify(introspected));
    expect(explainer.explain(frameCount)).toBeUndefined();
  });
});

test('where no kernel is believed, the reason is the evidence', () => {
  const fake = smallGuest();
  const introspected: Introspected = { found: false, memory: fake.ram, reason: 'not a guest' };
  const explainer = new Explainer(introspected, classify(introspected));
  expect(explainer.explain(first)).toMatchObject({
    label: 'unknown',
    agrees: true,
    checks: [{ holds: false, found: 'not a guest' }],
  });
});
