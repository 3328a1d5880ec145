// A real guest's image, cut short and damaged: whatever happens to it, no page that mattered is given up, the damage is
// noticed, and what it does not bear on is still believed.
//
// The damages at random places are few in a run of all tests. PARS_FUZZ_RUNS=100 makes a hundred times as many of them:
//   PARS_FUZZ_RUNS=100 npm test -- test/introspect/damaged-image
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { btfMagic } from '../../introspect/kernel/btf/layout.js';
import type { Kernel } from '../../introspect/kernel/kernel.js';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { openRawFile } from '../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { perCpuLists } from '../../introspect/mm/free/per-cpu-lists.js';
import { nodeAddresses, readZones, type Zone } from '../../introspect/mm/zones/zone.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { forgeCollapse, hugePages } from './damage/collapse.js';
import { type Patch, PatchedMemory } from './damage/patched-memory.js';
import { type Found, type Piece, Places } from './damage/places.js';

const bootTimeoutMs = 300_000;
const runFactor = Number(process.env['PARS_FUZZ_RUNS'] ?? 1);
const isExpendable = pageClasses.map(({ expendable }) => expendable);

let folder: string;
let original: MemoryImage;
/** The image, with whatever a test replaces in it. Its RAM has no hole: a place in it is an address. */
let memory: PatchedMemory;
let intact: Found;
let kernel: Kernel;
let places: Places;
let intactMap: PageMap;

beforeAll(async () => {
  const fixture = await fixtureGuest('aged');
  folder = mkdtempSync(join(tmpdir(), 'pars-damaged-'));
  original = openRawFile(fixture.ramPath);
  memory = new PatchedMemory(original.views[0]);
  const found = findKernel(imageOf(memory));
  if (!found.found) {
    throw new Error(found.reason);
  }
  intact = found;
  kernel = intact.kernel;
  places = new Places(intact);
  memory.searchFrom = places.vmcoreinfo().offset;
  intactMap = classify(intact);
}, bootTimeoutMs);

afterAll(() => {
  original.close();
  rmSync(folder, { recursive: true });
});

function imageOf(view: PatchedMemory): MemoryImage {
  return { ...original, views: [view] };
}

/** What `read` makes of the image while these bytes are replaced. */
function withDamage<T>(patches: readonly Patch[], read: () => T): T {
  memory.patches = patches;
  try {
    return read();
  } finally {
    memory.patches = [];
  }
}

function labelsWith(patches: readonly Patch[]): PageMap {
  return withDamage(patches, () => classify(findKernel(imageOf(memory))));
}

/** As `labelsWith`, where the damage is in nothing that the kernel is found by: it takes a fraction of the time. */
function labelsOfSameKernel(patches: readonly Patch[]): PageMap {
  return withDamage(patches, () => classify({ ...intact, zones: readZones(kernel) }));
}

const u64 = (value: bigint): Buffer => {
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(BigInt.asUintN(64, value));
  return word;
};
/** Replaces the word at a place by what `change` makes of it. */
function word(offset: number, change: (before: bigint) => bigint): Patch {
  return { offset, bytes: u64(change(places.u64(offset))) };
}

function framesWhere(test: (pfn: number) => boolean): readonly number[] {
  const frames: number[] = [];
  for (let pfn = 0; pfn < intactMap.labels.length; pfn++) {
    if (test(pfn)) {
      frames.push(pfn);
    }
  }
  return frames;
}
const wasGivenUp = (pfn: number): boolean => isExpendable[intactMap.labels[pfn]];
const newlyGivenUp = (map: PageMap): readonly number[] =>
  framesWhere((pfn) => isExpendable[map.labels[pfn]] && !wasGivenUp(pfn));
const noLongerGivenUp = (map: PageMap): readonly number[] =>
  framesWhere((pfn) => !isExpendable[map.labels[pfn]] && wasGivenUp(pfn));
const framesLabelled = (label: PageLabel): readonly number[] =>
  framesWhere((pfn) => intactMap.labels[pfn] === labelNumbers[label]);

function expectNothingBelieved(map: PageMap): void {
  expect(['no-kernel', 'inconsistent']).toContain(map.evidence.kind);
  expect(map.labels.findIndex((label) => label !== labelNumbers.unknown)).toBe(-1);
  expect(map.warnings.join()).toMatch(/every page is kept as critical/);
}

test('without damage the labels are those of the image, with pages to give up', () => {
  for (const map of [labelsWith([]), labelsOfSameKernel([])]) {
    expect(Buffer.compare(map.labels, intactMap.labels)).toBe(0);
    expect({ ...map, labels: [] }).toEqual({ ...intactMap, labels: [] });
  }
  expect(intactMap.evidence).toEqual({ kind: 'complete' });
  expect(framesWhere(wasGivenUp).length).toBeGreaterThan(10_000);
});

describe('an image that is cut short', () => {
  /** Frames below the end of what the kernel owns. */
  const highestEnd = (): number => Math.max(...intact.zones.map((zone) => zone.endPfn));
  const labelsOfFirst = (pageCount: number): PageMap =>
    classify(findKernel(imageOf(new PatchedMemory(memory, pageCount * pageSizeBytes))));

  test('behind the last page that the kernel owns is whole', () => {
    const map = labelsOfFirst(highestEnd());
    expect(map.evidence).toEqual({ kind: 'complete' });
    expect(Buffer.compare(map.labels, intactMap.labels.subarray(0, highestEnd()))).toBe(0);
  });

  test('by the last page of a zone keeps every page, and says where it ends and should end', () => {
    const hex = (pfn: number): string => (pfn * pageSizeBytes).toString(16);
    const map = labelsOfFirst(highestEnd() - 1);
    expectNothingBelieved(map);
    expect(map.labels).toHaveLength(highestEnd() - 1);
    expect(map.evidence.kind).toBe('no-kernel');
    expect(map.warnings.join()).toMatch(
      new RegExp(
        `looks truncated: .*RAM up to 0x${hex(highestEnd())} at least, the image ends at 0x${hex(highestEnd() - 1)}`,
      ),
    );
  });

  test.each([0.95, 0.5, 0.01])('to %d of its size keeps every page', (share) => {
    const map = labelsOfFirst(Math.floor(highestEnd() * share));
    expectNothingBelieved(map);
    expect(map.evidence.kind).toBe('no-kernel');
  });
});

test.each<[string, (sizeBytes: number) => Buffer]>([
  ['zeroes', (sizeBytes) => Buffer.alloc(sizeBytes)],
  ['random bytes', (sizeBytes) => randomBytes(sizeBytes)],
])('an image of %s has no kernel', (_, bytesOf) => {
  const path = join(folder, 'no-guest');
  writeFileSync(path, bytesOf(16 * 2 ** 20));
  const image = openRawFile(path);
  const map = classify(findKernel(image));
  image.close();
  expectNothingBelieved(map);
  expect(map.evidence).toMatchObject({ kind: 'no-kernel' });
  expect(map.labels).toHaveLength(4096);
});

describe('damage at one place leaves nothing believed', () => {
  /** Changes the first byte of the value that a line of VMCOREINFO gives. */
  function changedLine(key: string): Patch {
    const { offset, sizeBytes } = places.vmcoreinfo();
    const text = Buffer.alloc(sizeBytes);
    memory.readImage(offset, text);
    const value = text.indexOf(`${key}=`) + key.length + 1;
    expect(value).toBeGreaterThan(key.length);
    return { offset: offset + value, bytes: Buffer.from([text[value] ^ 1]) };
  }

  /** The entry of the top-level table that maps `address`. */
  function topEntry(address: bigint, entry: (before: bigint) => bigint): Patch {
    const shift = kernel.pagingLevels === 5 ? 48n : 39n;
    return word(kernel.pageTableRoot + Number((address >> shift) & 511n) * 8, entry);
  }
  const btfAt = (): number => places.of(places.symbol('__start_BTF'));

  test.each<[string, () => Patch]>([
    ['the magic of BTF', () => ({ offset: btfAt(), bytes: Buffer.from([btfMagic >> 8]) })],
    ['the length of the types in BTF', () => word(btfAt() + 12, () => 64n)],
    ['the page tables of the kernel image', () => topEntry(places.symbol('_text'), () => 0n)],
    ['the page tables of the memmap', () => topEntry(places.memmap.base, () => 0n)],
    [
      'the page tables of the memmap, leading to themselves',
      () => topEntry(places.memmap.base, () => BigInt(kernel.pageTableRoot) | 0x63n),
    ],
    [
      'the page tables of the memmap, leading out of RAM',
      () => topEntry(places.memmap.base, (entry) => entry | (1n << 45n)),
    ],
    [
      'the VMCOREINFO page',
      () => ({
        offset: places.vmcoreinfo().offset,
        bytes: Buffer.alloc(pageSizeBytes, 0xa5),
      }),
    ],
    ['the release in VMCOREINFO', () => changedLine('OSRELEASE')],
    ['the base of the kernel image', () => changedLine('NUMBER(phys_base)')],
    ['the address of the page tables', () => changedLine('SYMBOL(swapper_pg_dir)')],
    ['the address of the symbol names', () => changedLine('SYMBOL(kallsyms_names)')],
    ['the address of the memory sections', () => changedLine('SYMBOL(mem_section)')],
    ['the size of a section', () => changedLine('NUMBER(SECTION_SIZE_BITS)')],
    ['the size of struct page', () => changedLine('SIZE(page)')],
    ['the place of the flags in it', () => changedLine('OFFSET(page.flags)')],
    ['the place of free blocks in a zone', () => changedLine('OFFSET(zone.free_area)')],
    ['the number of a flag of pages', () => changedLine('NUMBER(PG_lru)')],
    ['a sign of encryption', () => changedLine('NUMBER(sme_mask)')],
  ])('%s', (_, damage) => {
    expectNothingBelieved(labelsWith([damage()]));
  });
});

describe('damage to a count or a list is noticed, and takes back what it bears on and no more', () => {
  const zoneWithFreePages = (): Zone => {
    const zone = intact.zones.at(-1);
    if (zone === undefined) {
      throw new Error('no zone');
    }
    return zone;
  };

  function freeBlockCount(order: number): Patch {
    const area = places.member('zone', zoneWithFreePages().address, 'free_area');
    const at = area + BigInt(order * places.sizeOf('free_area'));
    return word(places.of(places.member('free_area', at, 'nr_free')), (count) => count + 1n);
  }

  function freePageCount(): Patch {
    const item = kernel.btf.enumeration('zone_stat_item')?.get('NR_FREE_PAGES') ?? 0;
    const counters = places.of(places.member('zone', zoneWithFreePages().address, 'vm_stat'));
    return word(counters + item * 8, (count) => count - 1n);
  }

  const memberOfPage = (name: string): number =>
    kernel.btf.struct('page')?.member(name)?.offsetBytes ?? 0;

  /** The first free block of order 2 or more. */
  function freeBlock(): { readonly pfn: number; readonly order: number } {
    const orderOf = (pfn: number): number => places.structPage(pfn)[memberOfPage('private')];
    const buddyOf61 = 0xffff_ff7f;
    const pfn = framesLabelled('free').find(
      (frame) =>
        places.structPage(frame).readUInt32LE(memberOfPage('_mapcount')) === buddyOf61 &&
        orderOf(frame) > 1,
    );
    if (pfn === undefined) {
      throw new Error('no free block');
    }
    return { pfn, order: orderOf(pfn) };
  }
  const blockFrames = ({ pfn, order }: { pfn: number; order: number }): readonly number[] =>
    Array.from({ length: 2 ** order }, (_, page) => pfn + page);
  function blockOrder(change: number): Patch {
    const { pfn, order } = freeBlock();
    return {
      offset: places.structPageAt(pfn, memberOfPage('private')),
      bytes: u64(BigInt(order + change)),
    };
  }

  /** The first CPU that keeps back pages of a zone, and a page of its lists. */
  function keptBack() {
    for (const { zone, cpu, runs } of perCpuLists(kernel, places.memmap, intact.zones)) {
      const [first] = runs ?? [];
      if (runs !== undefined && runs.length > 1) {
        const pageset = places.u64(
          places.of(places.member('zone', zone.address, 'per_cpu_pageset')),
        );
        return {
          frames: runs.flatMap(blockFrames).sort((a, b) => a - b),
          link: places.structPageAt(first.pfn, memberOfPage('lru')),
          lists: BigInt.asUintN(64, pageset + cpu.offset),
        };
      }
    }
    throw new Error('no CPU keeps back a page');
  }

  function filePages(): Patch {
    const item = kernel.btf.enumeration('node_stat_item')?.get('NR_FILE_PAGES') ?? 0;
    const [node] = [...nodeAddresses(kernel).values()];
    const counters = places.of(places.member('pglist_data', node, 'vm_stat'));
    return word(counters + item * 8, (count) => count + 10_000n);
  }

  test.each<[string, RegExp, () => Patch, () => readonly number[]]>([
    // The lists still lead to every block.
    [
      'the count of free blocks of order 0',
      /zone \d .* free blocks of order 0/,
      () => freeBlockCount(0),
      () => [],
    ],
    [
      'the count of free blocks of order 10',
      /zone \d .* free blocks of order 10/,
      () => freeBlockCount(10),
      () => [],
    ],
    ['the count of free pages', /zone \d .* free pages, the memmap shows/, freePageCount, () => []],
    [
      "a free block's order, one too small",
      /zone \d .* counts \d+ free blocks of order/,
      () => blockOrder(-1),
      () => blockFrames(freeBlock()),
    ],
    [
      "a free block's order, nonsense",
      /blocks of pages do not hold together/,
      () => blockOrder(1000),
      () => blockFrames(freeBlock()),
    ],
    [
      'a per-CPU list that leads nowhere',
      /free list of CPU \d, .* which is no page/,
      () => word(keptBack().link, () => 0n),
      () => keptBack().frames,
    ],
    [
      'a per-CPU list that leads into the next page',
      /free list of CPU \d/,
      () => word(keptBack().link, (link) => link + 64n),
      () => keptBack().frames,
    ],
    [
      'a per-CPU list that does not point back',
      /free list of CPU \d, .* does not point back/,
      () => word(keptBack().link + 8, (link) => link + 64n),
      () => keptBack().frames,
    ],
    [
      'the number of pages on per-CPU lists',
      /free list of CPU \d, .* states/,
      () =>
        word(
          places.of(places.member('per_cpu_pages', keptBack().lists, 'count')),
          (count) => count + 1n,
        ),
      () => keptBack().frames,
    ],
    [
      'the count of pages of files',
      /clean file cache, as the kernel counts \d+ pages by NR_FILE_PAGES/,
      filePages,
      () => framesLabelled('file-reread'),
    ],
  ])('%s', (_, doubt, damage, takenBack) => {
    const map = labelsWith([damage()]);
    expect(map.evidence.kind).toBe('partial');
    expect(map.warnings).toContainEqual(
      expect.stringMatching(new RegExp(`^kept as critical: .*${doubt.source}`)),
    );
    expect(newlyGivenUp(map)).toEqual([]);
    expect(noLongerGivenUp(map)).toEqual(takenBack());
  });

  test("a free block's order, one too large: the block and its buddy at most", () => {
    const { pfn, order } = freeBlock();
    const map = labelsWith([blockOrder(1)]);
    expect(map.evidence.kind).toBe('partial');
    expect(map.warnings.length).toBeGreaterThan(0);
    expect(newlyGivenUp(map)).toEqual([]);
    const lost = noLongerGivenUp(map);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.filter((frame) => frame < pfn || frame >= pfn + 2 ** (order + 1))).toEqual([]);
  });

  test('the number that marks free pages: none is believed to be free but those on per-CPU lists', () => {
    const { offset, sizeBytes } = places.vmcoreinfo();
    const text = Buffer.alloc(sizeBytes);
    memory.readImage(offset, text);
    const key = 'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-1';
    const bytes = Buffer.from('3');
    const at = text.indexOf(key);
    expect(at).toBeGreaterThan(0);
    const map = labelsWith([{ offset: offset + at + key.length - 1, bytes }]);
    expect(map.evidence.kind).not.toBe('complete');
    expect(map.labels.includes(labelNumbers.free)).toBe(false);
    expect(newlyGivenUp(map)).toEqual([]);
  });
});

describe('a huge page of a file that is just put together', () => {
  test('is kept, with what it replaces, and takes nothing else back', () => {
    const { patches, hugePfn, replacedPfns } = forgeCollapse(
      places,
      intact.zones,
      intactMap.labels,
    );
    expect(replacedPfns.length).toBeGreaterThan(hugePages / 2);
    const map = labelsWith(patches);
    expect(map.warnings).toEqual([]);
    expect(map.evidence).toEqual({ kind: 'complete' });
    expect(newlyGivenUp(map)).toEqual([]);
    const kept = Array.from({ length: hugePages }, (_, page) => hugePfn + page);
    expect(noLongerGivenUp(map)).toEqual([...kept, ...replacedPfns].sort((a, b) => a - b));
  });

  test.each([-600, 900])('explains no difference of %i pages besides', (pageCount) => {
    const { patches, filePagesAt } = forgeCollapse(places, intact.zones, intactMap.labels);
    const map = labelsWith([...patches, word(filePagesAt, (count) => count + BigInt(pageCount))]);
    expect(map.evidence.kind).toBe('partial');
    expect(map.labels.includes(labelNumbers['file-reread'])).toBe(false);
    expect(newlyGivenUp(map)).toEqual([]);
  });
});

test('a list of tasks that runs in a circle changes no label that matters, and ends', () => {
  const tasks = places.member('task_struct', places.symbol('init_task'), 'tasks');
  const second = places.u64(places.of(places.u64(places.of(tasks))));
  const map = labelsWith([{ offset: places.of(second), bytes: u64(second) }]);
  expect(map.evidence).toEqual({ kind: 'complete' });
  expect(newlyGivenUp(map)).toEqual([]);
  expect(noLongerGivenUp(map)).toEqual([]);
});

describe('any eight bytes replaced', () => {
  /** The frames whose labels the struct page of `pfn` decides by itself: its own, and its tails if it is a head. */
  function ownFrames(pfn: number): (frame: number) => boolean {
    const head = places.memmap.base + BigInt(pfn * places.memmap.structPageBytes);
    const tailOffset = kernel.btf.struct('page')?.member('compound_head')?.offsetBytes ?? 0;
    let end = pfn + 1;
    while (
      end < intactMap.labels.length &&
      places.structPage(end).readBigUInt64LE(tailOffset) === (head | 1n)
    ) {
      end++;
    }
    return (frame) => frame >= pfn && frame < end;
  }

  /** (The other way round is no harm, and neither is a free page that is now called cache.) */
  function expectNothingLost(read: () => PageMap, mayChange: (frame: number) => boolean): void {
    const map = read();
    expect(newlyGivenUp(map).filter((frame) => !mayChange(frame))).toEqual([]);
    switch (map.evidence.kind) {
      case 'complete':
        expect(map.warnings).toEqual([]);
        break;
      case 'partial':
        expect(map.warnings.length).toBeGreaterThan(0);
        break;
      case 'no-kernel':
      case 'inconsistent':
        expectNothingBelieved(map);
    }
  }

  /** Noise, one flipped bit, or a plausible value of another place. */
  const replacement = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => () => value),
    fc.nat(63).map((bit) => (before: bigint) => before ^ (1n << BigInt(bit))),
    fc.constantFrom(0n, 1n, 2n ** 64n - 1n).map((value) => () => value),
    fc.integer({ min: -4, max: 4 }).map((step) => (before: bigint) => before + BigInt(step)),
  );
  const none = (): boolean => false;

  /** Damages each of the pieces alike, however long it is. */
  function damageAnywhere(
    pieces: readonly Piece[],
    runCount: number,
    labels: (patches: readonly Patch[]) => PageMap,
  ): void {
    fc.assert(
      fc.property(fc.nat(pieces.length - 1), fc.nat(), replacement, (index, at, replace) => {
        const { offset, sizeBytes } = pieces[index];
        const place = offset + (at % Math.max(1, Math.floor(sizeBytes / 8))) * 8;
        const patch = word(place, replace);
        expectNothingLost(() => labels([patch]), none);
      }),
      { numRuns: runCount * runFactor },
    );
  }

  test.each<[string, () => readonly Piece[]]>([
    ['the zones and what hangs on them', () => places.zones()],
    ['the counters of nodes', () => places.nodeCounters()],
    ['the CPUs', () => places.cpus()],
    ['the memory sections', () => places.sections()],
  ])(
    'in %s gives up no page that was critical',
    (_, pieces) => {
      damageAnywhere(pieces(), 12, (patches) => {
        try {
          return labelsOfSameKernel(patches);
        } catch {
          // Zones that cannot be read: then no kernel is found.
          return labelsWith(patches);
        }
      });
    },
    30_000 * runFactor,
  );

  test.each<[string, () => readonly Piece[]]>([
    ['VMCOREINFO', () => [places.vmcoreinfo()]],
    ['BTF', () => places.btf()],
    ['kallsyms', () => places.kallsyms()],
    ['the page tables', () => places.pageTables()],
    ['the way through the page tables', () => places.walkedEntries()],
  ])(
    'in %s gives up no page that was critical',
    (_, pieces) => {
      damageAnywhere(pieces(), 6, labelsWith);
    },
    30_000 * runFactor,
  );

  test(
    'in a struct page gives up no critical page but its own',
    () => {
      // Those that could be given up wrongly, and the first free ones.
      const interesting = framesWhere((pfn) => !wasGivenUp(pfn) || pfn < 1000);
      fc.assert(
        fc.property(fc.constantFrom(...interesting), fc.nat(7), replacement, (pfn, at, replace) => {
          const patch = word(places.structPageAt(pfn, at * 8), replace);
          expectNothingLost(() => labelsOfSameKernel([patch]), ownFrames(pfn));
        }),
        { numRuns: 40 * runFactor },
      );
    },
    30_000 * runFactor,
  );
});
