// A real guest's image, cut short and damaged: whatever happens to it, no page that mattered is given up.
import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { classify } from '../../introspect/classify.js';
import { findKernelInImage, type Introspected } from '../../introspect/find-kernel.js';
import { btfMagic } from '../../introspect/kernel/btf/layout.js';
import type { Kernel, KernelSymbol } from '../../introspect/kernel/kernel.js';
import { parseVmcoreinfo } from '../../introspect/kernel/vmcoreinfo.js';
import { endPfn, pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { RawFile } from '../../introspect/memory/raw-file.js';
import { type Memmap, openMemmap } from '../../introspect/mm/memmap.js';
import { possibleCpus } from '../../introspect/mm/per-cpu.js';
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';
import type { PageMap } from '../../introspect/page-map.js';
import { ParsError } from '../../introspect/pars-error.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest } from '../guest/fixtures.js';

const bootTimeoutMs = 300_000;
const isExpendable = pageClasses.map(({ expendable }) => expendable);

let folder: string;
let ramPath: string;
/** A copy of the image that tests damage and mend. Its RAM has no hole: a place in the file is an address. */
let copyPath: string;
let copyFd: number;
let original: RawFile;
let intact: Introspected & { readonly found: true };
let kernel: Kernel;
let memmap: Memmap;
let intactMap: PageMap;

beforeAll(async () => {
  const fixture = await fixtureGuest('aged');
  ramPath = fixture.ramPath;
  folder = mkdtempSync(join(tmpdir(), 'pars-damaged-'));
  copyPath = join(folder, 'ram');
  await copySparse(ramPath, copyPath);
  copyFd = openSync(copyPath, 'r+');
  original = RawFile.open(ramPath);
  const introspected = findKernelInImage(original);
  if (!introspected.found) {
    throw new Error(introspected.reason);
  }
  intact = introspected;
  kernel = intact.kernel;
  memmap = openMemmap(kernel, endPfn(intact.memory.regions));
  intactMap = classify(intact);
}, bootTimeoutMs);

afterAll(() => {
  original.close();
  closeSync(copyFd);
  rmSync(folder, { recursive: true });
});

function labelsOf(path: string): PageMap {
  const image = RawFile.open(path);
  try {
    return classify(findKernelInImage(image));
  } finally {
    image.close();
  }
}

interface Damage {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The labels of the image with some bytes replaced; the copy is whole again afterwards. */
function labelsWith(damages: readonly Damage[]): PageMap {
  const saved = damages.map(({ offset, bytes }) => {
    const before = Buffer.alloc(bytes.length);
    readSync(copyFd, before, 0, before.length, offset);
    return { offset, bytes: before };
  });
  const write = ({ offset, bytes }: Damage): void => {
    writeSync(copyFd, bytes, 0, bytes.length, offset);
  };
  damages.forEach(write);
  try {
    return labelsOf(copyPath);
  } finally {
    [...saved].reverse().forEach(write);
  }
}

function placeOf(address: bigint): number {
  const place = kernel.memory.translate(address);
  if (place === undefined) {
    throw new Error(`0x${address.toString(16)} is not mapped`);
  }
  return place;
}

function memberAt(struct: string, address: bigint, path: string): bigint {
  const member = kernel.btf.struct(struct)?.member(path);
  if (member === undefined) {
    throw new Error(`no ${struct}.${path}`);
  }
  return address + BigInt(member.offsetBytes);
}

function sizeOf(struct: string): number {
  return kernel.btf.struct(struct)?.sizeBytes ?? 0;
}

function symbol(name: KernelSymbol): bigint {
  const address = kernel.symbol(name);
  if (address === undefined) {
    throw new Error(`no symbol ${name}`);
  }
  return address;
}

function u64At(place: number): bigint {
  const word = Buffer.alloc(8);
  kernel.physical.readImage(place, word);
  return word.readBigUInt64LE();
}

function u64(value: bigint): Buffer {
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(BigInt.asUintN(64, value));
  return word;
}

function expectNothingBelieved(map: PageMap): void {
  expect(map.evidence.kind).not.toBe('complete');
  expect(map.labels.findIndex((label) => label !== labelNumbers.unknown)).toBe(-1);
  expect(map.warnings.join()).toMatch(/every page is kept as critical/);
}

function structPageOf(pfn: number): Buffer {
  const bytes = Buffer.alloc(memmap.structPageBytes);
  memmap.read(pfn, bytes);
  return bytes;
}

test('without damage the copy is labelled as the image, with pages to give up', () => {
  expect(labelsOf(copyPath)).toEqual(intactMap);
  expect(intactMap.evidence).toEqual({ kind: 'complete' });
  expect(intactMap.labels.filter((label) => isExpendable[label]).length).toBeGreaterThan(10_000);
});

describe('an image that is cut short', () => {
  /** Frames below the end of what the kernel owns. */
  const highestEnd = (): number => Math.max(...intact.zones.map((zone) => zone.endPfn));

  async function cutTo(sizeBytes: number): Promise<string> {
    const path = join(folder, 'cut');
    await copySparse(ramPath, path);
    truncateSync(path, sizeBytes);
    return path;
  }

  test('inside a page is invalid', async () => {
    const path = await cutTo(highestEnd() * pageSizeBytes - 100);
    expect(() => labelsOf(path)).toThrow(/no multiple of 4096; it may be truncated/);
  });

  test('by the last page of a zone is invalid, and says where it ends and should end', async () => {
    const path = await cutTo((highestEnd() - 1) * pageSizeBytes);
    const hex = (pfn: number): string => (pfn * pageSizeBytes).toString(16);
    expect(() => labelsOf(path)).toThrow(
      new RegExp(
        `RAM up to 0x${hex(highestEnd())} at least, the image ends at 0x${hex(highestEnd() - 1)}`,
      ),
    );
  });

  test.each([0.95, 0.5, 0.01])(
    'to %d of its size is invalid, or has lost its kernel',
    async (share) => {
      const path = await cutTo(Math.floor(highestEnd() * share) * pageSizeBytes);
      try {
        const map = labelsOf(path);
        expectNothingBelieved(map);
        expect(map.evidence.kind).toBe('no-kernel');
      } catch (error) {
        expect(error).toBeInstanceOf(ParsError);
        expect(error).toMatchObject({ code: 'image-invalid' });
      }
    },
  );
});

test.each<[string, (sizeBytes: number) => Buffer]>([
  ['zeroes', (sizeBytes) => Buffer.alloc(sizeBytes)],
  ['random bytes', (sizeBytes) => randomBytes(sizeBytes)],
])('an image of %s has no kernel', (_, bytesOf) => {
  const path = join(folder, 'no-guest');
  writeFileSync(path, bytesOf(16 * 2 ** 20));
  const map = labelsOf(path);
  expectNothingBelieved(map);
  expect(map.evidence).toMatchObject({ kind: 'no-kernel' });
  expect(map.labels).toHaveLength(4096);
});

describe('damage at one place leaves nothing believed', () => {
  function vmcoreinfoAt(): number {
    const page = Buffer.alloc(pageSizeBytes);
    for (let offset = 0; offset < original.sizeBytes; offset += pageSizeBytes) {
      intact.memory.readImage(offset, page);
      if (page.readUInt32LE() === 0x4552_534f && parseVmcoreinfo(page) !== undefined) {
        return offset;
      }
    }
    throw new Error('no VMCOREINFO page');
  }

  /** Changes the first byte of the value that a line of VMCOREINFO gives. */
  function changedLine(key: string): Damage {
    const page = Buffer.alloc(pageSizeBytes);
    const at = vmcoreinfoAt();
    intact.memory.readImage(at, page);
    const value = page.indexOf(`${key}=`) + key.length + 1;
    expect(value).toBeGreaterThan(key.length);
    return { offset: at + value, bytes: Buffer.from([page[value] ^ 1]) };
  }

  const zoneWithFreePages = () => {
    const zone = intact.zones.at(-1);
    if (zone === undefined) {
      throw new Error('no zone');
    }
    return zone;
  };

  function freeBlockCount(order: number): Damage {
    const area = memberAt('zone', zoneWithFreePages().address, 'free_area');
    const count = memberAt('free_area', area + BigInt(order * sizeOf('free_area')), 'nr_free');
    const offset = placeOf(count);
    return { offset, bytes: u64(u64At(offset) + 1n) };
  }

  function freePageCount(): Damage {
    const item = kernel.btf.enumeration('zone_stat_item')?.get('NR_FREE_PAGES') ?? 0;
    const offset = placeOf(memberAt('zone', zoneWithFreePages().address, 'vm_stat')) + item * 8;
    return { offset, bytes: u64(u64At(offset) - 1n) };
  }

  /** The order of the first free block of more than one page. */
  function buddyOrder(change: number): Damage {
    const orderAt = kernel.btf.struct('page')?.member('private')?.offsetBytes ?? 0;
    const typeAt = kernel.btf.struct('page')?.member('_mapcount')?.offsetBytes ?? 0;
    const pfn = intactMap.labels.findIndex(
      (label, frame) =>
        label === labelNumbers.free &&
        structPageOf(frame).readUInt32LE(typeAt) === 0xffff_ff7f &&
        structPageOf(frame)[orderAt] > 0,
    );
    const order = structPageOf(pfn)[orderAt];
    const offset = placeOf(memmap.base + BigInt(pfn * memmap.structPageBytes + orderAt));
    return { offset, bytes: u64(BigInt(order + change)) };
  }

  /** A link of the first per-CPU list that holds a page. */
  function pcpLink(link: 'next' | 'prev', to: (link: bigint) => bigint): Damage {
    const pageset = u64At(
      placeOf(memberAt('zone', zoneWithFreePages().address, 'per_cpu_pageset')),
    );
    const lists = kernel.btf.struct('per_cpu_pages')?.member('lists')?.count ?? 0;
    for (const cpu of possibleCpus(kernel)) {
      const first = memberAt('per_cpu_pages', BigInt.asUintN(64, pageset + cpu.offset), 'lists');
      for (let list = 0; list < lists; list++) {
        const head = first + BigInt(list * 16);
        const page = u64At(placeOf(head));
        if (page !== head) {
          const offset = placeOf(memberAt('list_head', page, link));
          return { offset, bytes: u64(to(u64At(offset))) };
        }
      }
    }
    throw new Error('no CPU keeps back a page');
  }

  /** The entry of the top-level table that maps `address`. */
  function topEntry(address: bigint, entry: (before: bigint) => bigint): Damage {
    const shift = kernel.pagingLevels === 5 ? 48n : 39n;
    const offset = kernel.pageTableRoot + Number((address >> shift) & 511n) * 8;
    return { offset, bytes: u64(entry(u64At(offset))) };
  }

  test.each<[string, () => Damage]>([
    ['the count of free blocks of order 0', () => freeBlockCount(0)],
    ['the count of free blocks of order 10', () => freeBlockCount(10)],
    ['the count of free pages', freePageCount],
    ["a free block's order, one too large", () => buddyOrder(1)],
    ["a free block's order, one too small", () => buddyOrder(-1)],
    ["a free block's order, nonsense", () => buddyOrder(1000)],
    ['a per-CPU list that leads nowhere', () => pcpLink('next', () => 0n)],
    ['a per-CPU list that leads into the next page', () => pcpLink('next', (link) => link + 64n)],
    ['a per-CPU list that leads into itself', () => pcpLink('prev', (link) => link + 64n)],
    [
      'the magic of BTF',
      () => ({ offset: placeOf(symbol('__start_BTF')), bytes: Buffer.from([btfMagic >> 8]) }),
    ],
    [
      'the length of the types in BTF',
      () => ({ offset: placeOf(symbol('__start_BTF')) + 12, bytes: u64(64n) }),
    ],
    ['the page tables of the kernel image', () => topEntry(symbol('_text'), () => 0n)],
    ['the page tables of the memmap', () => topEntry(memmap.base, () => 0n)],
    [
      'the page tables of the memmap, leading to themselves',
      () => topEntry(memmap.base, () => BigInt(kernel.pageTableRoot) | 0x63n),
    ],
    [
      'the page tables of the memmap, leading out of RAM',
      () => topEntry(memmap.base, (entry) => entry | (1n << 45n)),
    ],
    [
      'the VMCOREINFO page',
      () => ({ offset: vmcoreinfoAt(), bytes: Buffer.alloc(pageSizeBytes, 0xa5) }),
    ],
    ['the release in VMCOREINFO', () => changedLine('OSRELEASE')],
    ['the base of the kernel image', () => changedLine('NUMBER(phys_base)')],
    ['the address of the page tables', () => changedLine('SYMBOL(swapper_pg_dir)')],
    ['the address of the symbol names', () => changedLine('SYMBOL(kallsyms_names)')],
    ['the address of the memory sections', () => changedLine('SYMBOL(mem_section)')],
    ['the size of a section', () => changedLine('NUMBER(SECTION_SIZE_BITS)')],
    ['the number that marks free pages', () => changedLine('NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)')],
    ['a sign of encryption', () => changedLine('NUMBER(sme_mask)')],
  ])('%s', (_, damage) => {
    expectNothingBelieved(labelsWith([damage()]));
  });
});

test('a list of tasks that runs in a circle changes no label that matters, and ends', () => {
  const tasks = memberAt('task_struct', symbol('init_task'), 'tasks');
  const second = u64At(placeOf(u64At(placeOf(tasks))));
  const map = labelsWith([{ offset: placeOf(second), bytes: u64(second) }]);
  expect(map.evidence).toEqual({ kind: 'complete' });
  const given = (of: PageMap): Uint8Array =>
    of.labels.map((label) => (isExpendable[label] ? 1 : 0));
  expect(Buffer.compare(given(map), given(intactMap))).toBe(0);
});

describe('any eight bytes replaced', () => {
  /** The frames whose labels the struct page of `pfn` decides by itself: its own, and its tails if it is a head. */
  function ownFrames(pfn: number): { readonly first: number; readonly end: number } {
    const head = memmap.base + BigInt(pfn * memmap.structPageBytes);
    const tailOffset = kernel.btf.struct('page')?.member('compound_head')?.offsetBytes ?? 0;
    let end = pfn + 1;
    while (
      end < intactMap.labels.length &&
      structPageOf(end).readBigUInt64LE(tailOffset) === (head | 1n)
    ) {
      end++;
    }
    return { first: pfn, end };
  }

  /**
   * Frames that are given up now and were critical before, except `own`. (The other way round is no harm, and neither
   * is a free page that is now called cache.)
   */
  function newlyGivenUp(map: PageMap, own: { first: number; end: number }): readonly number[] {
    const frames: number[] = [];
    map.labels.forEach((label, pfn) => {
      const wasCritical = !isExpendable[intactMap.labels[pfn]];
      if (isExpendable[label] && wasCritical && (pfn < own.first || pfn >= own.end)) {
        frames.push(pfn);
      }
    });
    return frames;
  }

  function survives(offset: number, bytes: Uint8Array, own = { first: 0, end: 0 }): void {
    let map: PageMap;
    try {
      map = labelsWith([{ offset, bytes }]);
    } catch (error) {
      // A zone that now reaches beyond the image looks like an image that is cut short.
      expect(error).toBeInstanceOf(ParsError);
      expect(error).toMatchObject({ code: 'image-invalid' });
      return;
    }
    expect(newlyGivenUp(map, own)).toEqual([]);
    if (map.evidence.kind !== 'complete') {
      expectNothingBelieved(map);
    }
  }

  /** Noise, one flipped bit, or a plausible value of another place. */
  const replacement = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => () => u64(value)),
    fc.nat(63).map((bit) => (before: bigint) => u64(before ^ (1n << BigInt(bit)))),
    fc.constantFrom(0n, 1n, 2n ** 64n - 1n).map((value) => () => u64(value)),
    fc.integer({ min: -4, max: 4 }).map((step) => (before: bigint) => u64(before + BigInt(step))),
  );

  test('in a zone or in what hangs on it gives up no page that was critical', () => {
    const roots = (): readonly { readonly address: bigint; readonly sizeBytes: number }[] => {
      const zone = intact.zones[intact.zones.length - 1].address;
      const pageset = u64At(placeOf(memberAt('zone', zone, 'per_cpu_pageset')));
      const stats = u64At(placeOf(memberAt('zone', zone, 'per_cpu_zonestats')));
      return [
        { address: zone, sizeBytes: sizeOf('zone') },
        { address: symbol('__per_cpu_offset'), sizeBytes: 16 },
        { address: symbol('nr_cpu_ids'), sizeBytes: 8 },
        { address: kernel.vmcoreinfo.symbol('mem_section') ?? 0n, sizeBytes: 16 },
        ...possibleCpus(kernel).flatMap(({ offset }) => [
          { address: BigInt.asUintN(64, pageset + offset), sizeBytes: sizeOf('per_cpu_pages') },
          { address: BigInt.asUintN(64, stats + offset), sizeBytes: sizeOf('per_cpu_zonestat') },
        ]),
      ];
    };
    const places = roots();
    fc.assert(
      fc.property(fc.nat(places.length - 1), fc.nat(), replacement, (index, at, replace) => {
        const { address, sizeBytes } = places[index];
        const offset = placeOf(address + BigInt((at % Math.ceil(sizeBytes / 8)) * 8));
        survives(offset, replace(u64At(offset)));
      }),
      { numRuns: 30 },
    );
  });

  test('in a struct page gives up no critical page but its own', () => {
    // Those that could be given up wrongly, and the first free ones.
    const interesting = [...intactMap.labels.keys()].filter(
      (pfn) => !isExpendable[intactMap.labels[pfn]] || pfn < 1000,
    );
    const frame = fc.constantFrom(...interesting);
    fc.assert(
      fc.property(frame, fc.nat(7), replacement, (pfn, word, replace) => {
        const address = memmap.base + BigInt(pfn * memmap.structPageBytes + word * 8);
        const offset = placeOf(address);
        survives(offset, replace(u64At(offset)), ownFrames(pfn));
      }),
      { numRuns: 50 },
    );
  });
});
