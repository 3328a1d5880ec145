// A memmap and a node that say of some frames what is not so, and agree with each other in all that is counted and
// listed. Where they are put, and how a reader is led to them, is another matter (forgeries.ts).
import { type PageLayout, pageLayout } from '../../introspect/mm/page-layout.js';
import type { Zone } from '../../introspect/mm/zones/zone.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import type { Forger } from './forger.js';
import type { KnownKernel } from './known-kernel.js';

/** What the frames are said to be. */
export const guises = ['buddy', 'offline', 'clean file'] as const;
export type Guise = (typeof guises)[number];

/** Which frames are lied about. */
export const targets = [
  ...['everything', 'all but evidence', 'evidence', 'kernel image', 'page tables', 'stacks'],
  ...['slab', 'anonymous', 'other', 'a few'],
] as const;
export type Target = (typeof targets)[number];

const cacheLabels: readonly PageLabel[] = [
  ...(['file-reread', 'file-clean', 'file-dirty', 'block-device', 'shmem', 'swap-cache'] as const),
];
const reclaimLabels: readonly PageLabel[] = [...cacheLabels, 'anon', 'ksm'];
const slabLabels: readonly PageLabel[] = ['slab', 'large-kmalloc'];
const anonLabels: readonly PageLabel[] = ['anon', 'ksm', 'swap-cache'];
const lowBitsOfFlags = 0x00ff_ffff;

/** Where in a kernel's structures the words are that a lie changes. */
interface LieLayout {
  readonly page: PageLayout;
  readonly reservedFlag: number;
  readonly buddyType: number;
  readonly offlineType: number;
  readonly nodeItems: ReadonlyMap<string, number>;
  readonly nodeCounters: number;
  readonly freePages: number;
  readonly zoneCounters: number;
  readonly freeArea: number;
  readonly areaBytes: number;
  readonly blockCount: number;
  readonly freeList: number;
  readonly link: number;
}
const layouts = new WeakMap<KnownKernel, LieLayout>();

function layoutOf(known: KnownKernel): LieLayout {
  const cached = layouts.get(known);
  if (cached !== undefined) {
    return cached;
  }
  const { btf, vmcoreinfo } = known.kernel;
  const offset = (struct: string, ...paths: readonly string[]): number =>
    btf.struct(struct)?.member(...paths)?.offsetBytes ?? 0;
  const layout = {
    page: pageLayout(btf),
    reservedFlag: 1 << (btf.enumeration('pageflags')?.get('PG_reserved') ?? 12),
    buddyType: Number(vmcoreinfo.number('PAGE_BUDDY_MAPCOUNT_VALUE') ?? -1n),
    offlineType: Number(vmcoreinfo.number('PAGE_OFFLINE_MAPCOUNT_VALUE') ?? -1n),
    nodeItems: btf.enumeration('node_stat_item') ?? new Map<string, number>(),
    nodeCounters: offset('pglist_data', 'vm_stat'),
    freePages: btf.enumeration('zone_stat_item')?.get('NR_FREE_PAGES') ?? 0,
    zoneCounters: offset('zone', 'vm_stat'),
    freeArea: offset('zone', 'free_area'),
    areaBytes: btf.struct('free_area')?.sizeBytes ?? 0,
    blockCount: offset('free_area', 'nr_free'),
    freeList: offset('free_area', 'free_list'),
    link: offset('page', 'buddy_list', 'lru'),
  };
  layouts.set(known, layout);
  return layout;
}

export class Lie {
  readonly memmap: Buffer;
  readonly node: Buffer;
  /** What the kernel's own addresses of memmap and node have become. */
  memmapAddress: bigint;
  nodeAddress: bigint;
  readonly #known: KnownKernel;
  readonly #all: LieLayout;
  readonly #layout: PageLayout;
  readonly #words: Int32Array;
  readonly #zones: readonly Zone[];

  constructor(known: KnownKernel) {
    this.#known = known;
    this.memmap = Buffer.from(known.memmap);
    this.node =
      known.kernel.memory.bytes(known.node.address, known.node.sizeBytes) ?? Buffer.alloc(0);
    this.memmapAddress = known.places.memmap.base;
    this.nodeAddress = known.node.address;
    this.#all = layoutOf(known);
    this.#layout = this.#all.page;
    this.#words = new Int32Array(
      this.memmap.buffer,
      this.memmap.byteOffset,
      this.memmap.length / 4,
    );
    this.#zones = known.found.zones;
  }

  /** The frames of a target that could be lied about: not free already, and of whole blocks. */
  framesOf(target: Target, forger: Forger): readonly number[] {
    const { truth, evidence } = this.#known;
    const labelled = (...names: PageLabel[]): readonly number[] =>
      this.#framesWhere((pfn) => names.some((name) => labelNumbers[name] === truth[pfn]));
    switch (target) {
      case 'everything':
        return this.#framesWhere(() => true);
      case 'all but evidence': {
        const kept = (['kernel-image', 'page-table', 'kernel-stack', 'reserved'] as const).map(
          (name) => labelNumbers[name],
        );
        return this.#framesWhere((pfn) => evidence[pfn] === 0 && !kept.includes(truth[pfn]));
      }
      case 'evidence':
        return this.#framesWhere((pfn) => evidence[pfn] === 1);
      case 'kernel image':
        return labelled('kernel-image');
      case 'page tables':
        return labelled('page-table');
      case 'stacks':
        return labelled('kernel-stack');
      case 'slab':
        return labelled('slab');
      case 'anonymous':
        return labelled('anon');
      case 'other':
        return labelled('other');
      case 'a few': {
        const all = this.#framesWhere((pfn) => this.#known.isCritical(pfn) && this.#isSingle(pfn));
        return Array.from({ length: 1 + forger.below(64) }, () => forger.pick(all)).sort(
          (a, b) => a - b,
        );
      }
    }
  }

  tell(frames: readonly number[], guise: Guise): void {
    const unique = [...new Set(frames)];
    this.#uncount(unique);
    switch (guise) {
      case 'buddy':
        this.#free(unique);
        break;
      case 'offline':
        for (const pfn of unique) {
          this.#blank(pfn);
          this.#words[this.#at(pfn) + this.#layout.type] = this.#all.offlineType;
          this.#words[this.#at(pfn) + this.#layout.refcount] = 1;
        }
        break;
      case 'clean file':
        this.#likeFile(unique);
    }
  }

  /** Says that the free ones of these frames are the kernel's: a forger does not give away where he writes. */
  occupy(frames: Iterable<number>): void {
    const blocks = new Set<number>();
    for (const pfn of frames) {
      const block = this.#freeBlockOf(pfn);
      if (block !== undefined) {
        blocks.add(block);
      }
    }
    for (const head of blocks) {
      const order = this.#words[this.#at(head) + this.#layout.private];
      const zone = this.#zoneOf(head);
      this.#unlink(head);
      if (zone !== undefined) {
        this.#addFree(zone, order, -1);
      }
      for (let pfn = head; pfn < head + 2 ** order; pfn++) {
        this.#reserve(pfn);
      }
    }
  }

  /** Moves what the kernel calls the memmap and the node: every pointer into them follows. */
  moveTo(memmapAddress: bigint, nodeAddress: bigint): void {
    const moves = [
      { from: this.memmapAddress, to: memmapAddress, sizeBytes: this.memmap.length },
      { from: this.nodeAddress, to: nodeAddress, sizeBytes: this.node.length },
    ];
    for (const bytes of [this.memmap, this.node]) {
      for (const { from, to, sizeBytes } of moves) {
        movePointers(bytes, from, to, sizeBytes);
      }
    }
    this.memmapAddress = memmapAddress;
    this.nodeAddress = nodeAddress;
  }

  /** Adds to one of the node's counters. */
  count(name: string, difference: number): void {
    const item = this.#all.nodeItems.get(name);
    if (item !== undefined) {
      this.#add(this.#all.nodeCounters + item * 8, difference);
    }
  }

  #framesWhere(test: (pfn: number) => boolean): readonly number[] {
    const { truth } = this.#known;
    const isFree = (label: number): boolean =>
      label === labelNumbers.free ||
      label === labelNumbers['free-pcp'] ||
      label === labelNumbers['not-ram'];
    const frames: number[] = [];
    for (const { startPfn, endPfn } of this.#zones) {
      for (let pfn = startPfn; pfn < endPfn; pfn++) {
        if (!isFree(truth[pfn]) && test(pfn)) {
          frames.push(pfn);
        }
      }
    }
    return frames;
  }

  #at(pfn: number): number {
    return pfn * this.#layout.strideWords;
  }

  /** Neither a head nor a tail: what is said of it is said of no other frame. */
  #isSingle(pfn: number): boolean {
    const next = this.#words.at(this.#at(pfn + 1) + this.#layout.compoundHead) ?? 0;
    const own = this.#words[this.#at(pfn) + this.#layout.compoundHead];
    return (own & 1) === 0 && (next & 1) === 0;
  }

  #zoneOf(pfn: number): Zone | undefined {
    return this.#zones.find(({ startPfn, endPfn }) => pfn >= startPfn && pfn < endPfn);
  }

  /** Nothing but node and zone. */
  #blank(pfn: number): void {
    const at = this.#at(pfn);
    const { flags, strideWords, type } = this.#layout;
    const high = this.#words[at + flags + 1];
    this.#words.fill(0, at, at + strideWords);
    this.#words[at + flags + 1] = high & ~lowBitsOfFlags;
    this.#words[at + type] = -1;
  }

  #reserve(pfn: number): void {
    this.#blank(pfn);
    this.#words[this.#at(pfn) + this.#layout.flags] = this.#all.reservedFlag;
    this.#words[this.#at(pfn) + this.#layout.refcount] = 1;
  }

  /** Takes the frames out of what the node counts. */
  #uncount(frames: readonly number[]): void {
    const { truth } = this.#known;
    const among = (names: readonly PageLabel[]): number => {
      const numbers = names.map((name) => labelNumbers[name]);
      return frames.reduce((sum, pfn) => sum + (numbers.includes(truth[pfn]) ? 1 : 0), 0);
    };
    this.count('NR_FILE_PAGES', -among(cacheLabels));
    this.count('NR_SHMEM', -among(['shmem']));
    this.count('NR_INACTIVE_FILE', -among(reclaimLabels));
    this.count('NR_ANON_MAPPED', -among(anonLabels));
    this.count('NR_SLAB_UNRECLAIMABLE_B', -among(slabLabels));
  }

  #free(frames: readonly number[]): void {
    const chosen = new Set(frames);
    const orders = this.#zones[0].freeBlockCounts.length;
    for (const pfn of frames) {
      if (!chosen.has(pfn)) {
        continue;
      }
      const zone = this.#zoneOf(pfn);
      if (zone === undefined) {
        continue;
      }
      let order = 0;
      while (order + 1 < orders && this.#canBeBlock(pfn, order + 1, chosen, zone)) {
        order++;
      }
      for (let frame = pfn; frame < pfn + 2 ** order; frame++) {
        this.#blank(frame);
        chosen.delete(frame);
      }
      this.#words[this.#at(pfn) + this.#layout.type] = this.#all.buddyType;
      this.#words[this.#at(pfn) + this.#layout.private] = order;
      this.#link(pfn, order, zone);
      this.#addFree(zone, order, 1);
    }
  }

  #canBeBlock(pfn: number, order: number, chosen: ReadonlySet<number>, zone: Zone): boolean {
    const end = pfn + 2 ** order;
    if (pfn % 2 ** order !== 0 || end > zone.endPfn) {
      return false;
    }
    for (let frame = pfn + 2 ** (order - 1); frame < end; frame++) {
      if (!chosen.has(frame)) {
        return false;
      }
    }
    return true;
  }

  /** The head of the free block that holds the frame. */
  #freeBlockOf(pfn: number): number | undefined {
    if (this.#known.truth[pfn] !== labelNumbers.free) {
      return undefined;
    }
    const buddy = this.#all.buddyType;
    const orders = this.#zones[0].freeBlockCounts.length;
    for (let order = 0; order < orders; order++) {
      const head = pfn - (pfn % 2 ** order);
      const at = this.#at(head);
      const word = this.#words[at + this.#layout.type];
      // Before 6.12 other bits of the type may be set or not.
      if (
        (word === buddy || (word >>> 24 === buddy >>> 24 && word !== -1)) &&
        this.#words[at + this.#layout.private] >= order
      ) {
        return head;
      }
    }
    return undefined;
  }

  /** Place in the node of a zone's list and count of an order. */
  #areaOf(zone: Zone, order: number): number {
    const { freeArea, areaBytes } = this.#all;
    return this.#zoneAt(zone) + freeArea + order * areaBytes;
  }

  #zoneAt(zone: Zone): number {
    return Number(zone.address - this.#known.node.address);
  }

  #addFree(zone: Zone, order: number, blocks: number): void {
    const { blockCount, zoneCounters, freePages } = this.#all;
    this.#add(this.#areaOf(zone, order) + blockCount, blocks);
    this.#add(this.#zoneAt(zone) + zoneCounters + freePages * 8, blocks * 2 ** order);
  }

  #add(at: number, difference: number): void {
    this.node.writeBigInt64LE(this.node.readBigInt64LE(at) + BigInt(difference), at);
  }

  #linkAt(pfn: number): number {
    return this.#at(pfn) * 4 + this.#all.link;
  }

  /** Appends the block to the first list of its order. */
  #link(pfn: number, order: number, zone: Zone): void {
    const head = this.nodeAddress + BigInt(this.#areaOf(zone, order) + this.#all.freeList);
    const own = this.memmapAddress + BigInt(this.#linkAt(pfn));
    const last = this.#pointer(head + 8n);
    this.#setPointer(own, head);
    this.#setPointer(own + 8n, last);
    this.#setPointer(last, own);
    this.#setPointer(head + 8n, own);
  }

  #unlink(pfn: number): void {
    const own = this.memmapAddress + BigInt(this.#linkAt(pfn));
    const next = this.#pointer(own);
    const previous = this.#pointer(own + 8n);
    this.#setPointer(previous, next);
    this.#setPointer(next + 8n, previous);
  }

  #holder(address: bigint): { readonly bytes: Buffer; readonly at: number } | undefined {
    for (const [bytes, start] of [
      [this.node, this.nodeAddress],
      [this.memmap, this.memmapAddress],
    ] as const) {
      if (address >= start && address + 8n <= start + BigInt(bytes.length)) {
        return { bytes, at: Number(address - start) };
      }
    }
    return undefined;
  }

  #pointer(address: bigint): bigint {
    const holder = this.#holder(address);
    return holder === undefined ? 0n : holder.bytes.readBigUInt64LE(holder.at);
  }

  #setPointer(address: bigint, value: bigint): void {
    const holder = this.#holder(address);
    holder?.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), holder.at);
  }

  /** Copies what a page of a real clean file looks like. */
  #likeFile(frames: readonly number[]): void {
    const { truth } = this.#known;
    const models: number[] = [];
    for (let pfn = 0; pfn < truth.length && models.length < 64; pfn++) {
      if (truth[pfn] === labelNumbers['file-reread'] && this.#isSingle(pfn)) {
        models.push(pfn);
      }
    }
    frames.forEach((pfn, index) => {
      const model = this.#at(models[index % models.length]);
      const at = this.#at(pfn);
      const { strideWords, flags } = this.#layout;
      const high = this.#words[at + flags + 1];
      this.#words.copyWithin(at, model, model + strideWords);
      this.#words[at + flags + 1] = high & ~lowBitsOfFlags;
    });
    this.count('NR_FILE_PAGES', frames.length);
    this.count('NR_INACTIVE_FILE', frames.length);
  }
}

/** Changes every aligned word that points into `from ..` so that it points to the same place from `to` on. */
function movePointers(bytes: Buffer, from: bigint, to: bigint, sizeBytes: number): void {
  if (from === to) {
    return;
  }
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const firstHigh = Number(from >> 32n);
  const lastHigh = Number((from + BigInt(sizeBytes)) >> 32n);
  for (let at = 0; at + 1 < words.length; at += 2) {
    const high = words[at + 1];
    if (high === firstHigh || high === lastHigh) {
      const value = (BigInt(high) << 32n) | BigInt(words[at]);
      // Tails point to one byte behind a head; the end itself is no place in it.
      if (value >= from && value < from + BigInt(sizeBytes)) {
        const moved = value - from + to;
        words[at] = Number(moved & 0xffff_ffffn);
        words[at + 1] = Number(moved >> 32n);
      }
    }
  }
}
