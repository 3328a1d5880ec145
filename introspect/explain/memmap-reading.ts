// What the memmap alone says of a frame, condition by condition. The same rules as memmap-labeller.ts, which reads
// millions of struct pages a second; this reads one, and says why. A test holds the two against each other.
import type { Kernel } from '../kernel/kernel.js';
import type { MemoryRegion, Pfn } from '../memory/physical-memory.js';
import type { Memmap } from '../mm/memmap.js';
import { poolSignature } from '../mm/memmap-labeller.js';
import { untyped } from '../mm/page-type.js';
import type { PageLabel } from '../page-class.js';
import { type Block, Blocks } from './block.js';
import { type Check, Checks } from './check.js';
import { type FileEvidence, fileOf, filePageCount } from './file.js';
import { type StructPage, StructPages } from './struct-page.js';

/** Files met last: their pages are asked for by the hundred. */
const rememberedFileLimit = 4096;

export interface MemmapReading {
  readonly label: PageLabel;
  readonly checks: readonly Check[];
  /** Undefined where no struct page describes the frame. */
  readonly page: StructPage | undefined;
  readonly block: Block | undefined;
  /** The head of a tail, which the label of the tail comes from; undefined for other pages. */
  readonly head: StructPage | undefined;
  /** The file that a page of the page cache belongs to; undefined for other pages. */
  readonly file: FileEvidence | undefined;
}

/** Labels that a page type makes by itself. */
const typeLabels: readonly (readonly [type: string, label: PageLabel])[] = [
  ['slab', 'slab'],
  ['table', 'page-table'],
  ['hugetlb', 'hugetlb'],
  ['offline', 'offline'],
  ['zsmalloc', 'zsmalloc'],
  ['largeKmalloc', 'large-kmalloc'],
];

export class MemmapReader {
  readonly pages: StructPages;
  readonly blocks: Blocks;
  readonly #kernel: Kernel;
  readonly #files = new Map<bigint, FileEvidence>();

  constructor(
    kernel: Kernel,
    memmap: Memmap,
    regions: readonly MemoryRegion[],
    buddyOrderCount: number,
  ) {
    this.#kernel = kernel;
    this.pages = new StructPages(kernel, memmap);
    this.blocks = new Blocks(this.pages, regions, buddyOrderCount);
  }

  read(pfn: Pfn): MemmapReading {
    const checks = new Checks();
    const { memmap } = this.pages;
    const section = Math.floor(pfn / memmap.sectionPageCount);
    if (
      !checks.that(
        memmap.isOnline(section),
        'its section is online, so a struct page describes it',
        `section ${section}`,
      )
    ) {
      return {
        label: 'not-ram',
        checks: checks.list,
        page: undefined,
        block: undefined,
        head: undefined,
        file: undefined,
      };
    }
    const page = this.pages.at(pfn);
    const block = this.blocks.of(pfn);
    const files: FileEvidence[] = [];
    const label = this.#labelOf(page, block, checks, files);
    const head =
      block?.kind === 'compound' && block.headPfn !== pfn
        ? this.pages.at(block.headPfn)
        : undefined;
    return { label, checks: checks.list, page, block, head, file: files.at(0) };
  }

  #labelOf(
    page: StructPage,
    block: Block | undefined,
    checks: Checks,
    files: FileEvidence[],
  ): PageLabel {
    const where = (kind: Block['kind']): string =>
      block?.kind === kind ? `head at frame ${block.headPfn}, order ${block.order}` : '';
    if (
      checks.that(
        block?.kind === 'free',
        'it is in a free block of the buddy allocator',
        where('free'),
      )
    ) {
      const whole = checks.that(
        block?.broken === undefined,
        'every frame of the block is free, untyped and of the same zone',
        block?.broken,
      );
      return whole ? 'free' : 'unknown';
    }
    if (!checks.that(block !== undefined, 'it is in a compound page', where('compound'))) {
      return checks.that(page.isTail, 'it is marked as the tail of one that does not hold it')
        ? 'unknown'
        : this.#labelInUse(page, 0, checks, files);
    }
    if (
      block === undefined ||
      !checks.that(block.broken === undefined, 'every tail of it leads to its head', block.broken)
    ) {
      return 'unknown';
    }
    const head = page.pfn === block.headPfn ? page : this.pages.at(block.headPfn);
    return this.pages.hasHugetlbDestructor(head) &&
      checks.that(true, 'it is a huge page of hugetlbfs', 'compound_dtor')
      ? 'hugetlb'
      : this.#labelInUse(head, block.order, checks, files);
  }

  /** `page` is the head where `order` is above 0. */
  #labelInUse(page: StructPage, order: number, checks: Checks, files: FileEvidence[]): PageLabel {
    const { flagMasks: masks } = this.pages;
    const has = (mask: number): boolean => this.pages.hasFlag(page, mask);
    if (masks.slab !== 0 && checks.that(has(masks.slab), 'PG_slab is set')) {
      return 'slab';
    }
    if (checks.that(page.type !== undefined, 'it carries a page type', page.type ?? '')) {
      const label = typeLabels.find(([type]) => type === page.type)?.[1];
      return (
        label ?? (checks.that(has(masks.reserved), 'PG_reserved is set') ? 'reserved' : 'other')
      );
    }
    if (checks.that(has(masks.reserved), 'PG_reserved is set')) {
      return 'reserved';
    }
    if (has(masks.hwpoison) && order === 0) {
      checks.that(true, 'PG_hwpoison is set');
      return 'hwpoison';
    }
    return page.mappingTag === 'anon' || page.mappingTag === 'ksm'
      ? this.#labelAnonymous(page, checks)
      : page.mapping === 0n || page.mappingTag === 'movable'
        ? this.#labelUnmapped(page, checks)
        : this.#labelMapped(page, order, checks, files);
  }

  #isInSwapCache({ flags }: StructPage): boolean {
    const { swapcache, swapbacked } = this.pages.flagMasks;
    return swapcache !== 0 && (flags & swapcache) !== 0 && (flags & swapbacked) !== 0;
  }

  #labelAnonymous(page: StructPage, checks: Checks): PageLabel {
    const { lru, swapbacked } = this.pages.flagMasks;
    checks.that(true, 'mapping is tagged as anonymous memory', page.mappingTag);
    const ofProcesses = checks.that(
      (page.flags & (lru | swapbacked)) !== 0,
      'PG_lru or PG_swapbacked is set, as on memory of processes',
    );
    if (!ofProcesses) {
      return 'other';
    }
    if (checks.that(page.mappingTag === 'ksm', 'mapping is tagged as merged by KSM')) {
      return 'ksm';
    }
    return checks.that(this.#isInSwapCache(page), 'PG_swapcache is set beside PG_swapbacked')
      ? 'swap-cache'
      : 'anon';
  }

  #labelUnmapped(page: StructPage, checks: Checks): PageLabel {
    const { swapbacked } = this.pages.flagMasks;
    checks.that(
      false,
      'mapping leads to an address_space or to anonymous memory',
      page.mapping === 0n ? '0' : page.mappingTag,
    );
    if (checks.that((page.flags & swapbacked) !== 0, 'PG_swapbacked is set')) {
      return checks.that(this.#isInSwapCache(page), 'PG_swapcache is set beside PG_swapbacked')
        ? 'swap-cache'
        : 'anon';
    }
    const low = Number(page.listNext & 0xffff_ffffn);
    const high = Number(page.listNext >> 32n);
    const signed =
      (low & poolSignature.lowMask) === poolSignature.low &&
      high >>> poolSignature.highShift === poolSignature.high &&
      page.refCount !== 0;
    return checks.that(signed, "it is signed by a network driver's page pool")
      ? 'page-pool'
      : 'other';
  }

  #labelMapped(page: StructPage, order: number, checks: Checks, files: FileEvidence[]): PageLabel {
    const { flagMasks: masks } = this.pages;
    const has = (mask: number): boolean => this.pages.hasFlag(page, mask);
    checks.that(true, 'mapping is an untagged pointer, as of the page cache');
    const file = this.#fileOf(page.mapping);
    if (file.inode !== 0n) {
      files.push(file);
    }
    if (checks.that(has(masks.swapbacked), 'PG_swapbacked is set, as on shared memory')) {
      return 'shmem';
    }
    if (!checks.that(page.refCount !== 0, 'it is referenced', `_refcount ${page.refCount}`)) {
      return 'other';
    }
    file.checks.forEach(({ holds, condition, found }) => checks.that(holds, condition, found));
    if (file.kind === 'memory-file') {
      return 'shmem';
    }
    const onList = checks.that(has(masks.lru), 'it is on a reclaim list (PG_lru)');
    if (!onList && file.kind === 'unproven') {
      return 'other';
    }
    if (file.kind === 'block-device') {
      return 'block-device';
    }
    const settled = [
      checks.that(
        !has(masks.busy),
        'it is not dirty, locked or under writeback',
        this.pages.namesOf(page.flags & masks.busy).join(' '),
      ),
      checks.that(has(masks.uptodate), 'it is up to date (PG_uptodate)'),
    ].every(Boolean);
    const droppable = this.#isDroppable(page, order, file, checks);
    if (!settled) {
      return 'file-dirty';
    }
    return file.kind === 'disk-file' && onList && droppable ? 'file-reread' : 'file-clean';
  }

  /** Checks every condition, so that a person sees all that fail. */
  #isDroppable(page: StructPage, order: number, file: FileEvidence, checks: Checks): boolean {
    const { flagMasks: masks } = this.pages;
    const doubtful = (page.flags & masks.all & ~masks.harmlessForCleanFile & ~masks.busy) >>> 0;
    const pageCount = filePageCount(file);
    return [
      checks.that(
        doubtful === 0,
        'its other flags are harmless: no buffers, no private data, not pinned',
        this.pages.namesOf(doubtful).join(' '),
      ),
      checks.that(
        page.typeWord === untyped,
        'no process maps it',
        `_mapcount ${page.typeWord | 0}`,
      ),
      checks.that(
        page.refCount === 2 ** order,
        'only the cache itself refers to it',
        `_refcount ${page.refCount}, expected ${2 ** order}`,
      ),
      checks.that(
        page.index < BigInt(Math.min(Math.max(pageCount, 0), 2 ** 32)),
        'it lies within the file',
        `page ${page.index} of ${pageCount}`,
      ),
    ].every(Boolean);
  }

  #fileOf(addressSpace: bigint): FileEvidence {
    let file = this.#files.get(addressSpace);
    if (file === undefined) {
      if (this.#files.size >= rememberedFileLimit) {
        this.#files.clear();
      }
      file = fileOf(this.#kernel, addressSpace);
      this.#files.set(addressSpace, file);
    }
    return file;
  }
}
