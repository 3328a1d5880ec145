// Hand-built struct pages as Linux 6.1 lays them out on x86-64 (include/linux/mm_types.h, page-flags.h). The offsets
// stand here as numbers, so that a test does not take them from the code it tests.

export const structPageBytes = 64;

/** enum pageflags of 6.1, with the aliases that matter. */
export const pageFlagBits = {
  PG_locked: 0,
  PG_referenced: 1,
  PG_uptodate: 2,
  PG_dirty: 3,
  PG_lru: 4,
  PG_active: 5,
  PG_workingset: 6,
  PG_waiters: 7,
  PG_error: 8,
  PG_slab: 9,
  PG_owner_priv_1: 10,
  PG_arch_1: 11,
  PG_reserved: 12,
  PG_private: 13,
  PG_private_2: 14,
  PG_writeback: 15,
  PG_head: 16,
  PG_mappedtodisk: 17,
  PG_reclaim: 18,
  PG_swapbacked: 19,
  PG_unevictable: 20,
  PG_mlocked: 21,
  PG_uncached: 22,
  PG_hwpoison: 23,
  PG_young: 24,
  PG_idle: 25,
  PG_readahead: 18,
  PG_swapcache: 10,
  PG_checked: 10,
} as const;
export const pageFlagCount = 26;
export type PageFlag = keyof typeof pageFlagBits;

/** `_mapcount` that is unmapped, and the page types of 6.1. */
export const typeValues = {
  none: 0xffff_ffff,
  buddy: 0xffff_ff7f,
  offline: 0xffff_feff,
  table: 0xffff_fdff,
  guard: 0xffff_fbff,
} as const;

/** Page types from 6.12 on: the top byte; the rest is the owner's. */
export const lateTypeValues = {
  buddy: 0xf000_0000,
  offline: 0xf100_0000,
  table: 0xf200_0000,
  guard: 0xf300_0000,
  hugetlb: 0xf400_0000,
  slab: 0xf500_0000,
  zsmalloc: 0xf600_0000,
  unaccepted: 0xf700_0000,
  largeKmalloc: 0xf800_0000,
} as const;

export interface StructPage {
  readonly flags?: readonly PageFlag[];
  /** The flags' upper half: zone and node, and aging below them. */
  readonly flagsHigh?: number;
  /** lru.next, or the head's address with bit 0 set. */
  readonly compoundHead?: bigint;
  readonly mapping?: bigint;
  readonly index?: bigint;
  readonly private?: number;
  /** `_mapcount` or the page type. */
  readonly type?: number;
  readonly refcount?: number;
  /** The order of the compound page whose second page this is, as a byte of its own (to 6.5). */
  readonly order?: number;
  /** The order of the compound page whose second page this is, among the flags (6.6 on). */
  readonly orderInFlags?: number;
  /** `compound_dtor`, beside the order (to 6.5). */
  readonly destructor?: number;
}

/** Zone 1 of node 0, with two bits of zone and none of node. */
export const flagsHighOfZone1 = 0x4000_0000;

export function writeStructPage(target: Buffer, at: number, page: StructPage): void {
  target.fill(0, at, at + structPageBytes);
  const flags = (page.flags ?? []).reduce((sum, name) => sum | (1 << pageFlagBits[name]), 0);
  target.writeUInt32LE((flags | (page.orderInFlags ?? 0)) >>> 0, at);
  target.writeUInt32LE(page.flagsHigh ?? flagsHighOfZone1, at + 4);
  target.writeBigUInt64LE(page.compoundHead ?? 0n, at + 8);
  if (page.order !== undefined) {
    target[at + 17] = page.order;
  }
  if (page.destructor !== undefined) {
    target[at + 16] = page.destructor;
  }
  target.writeBigUInt64LE(page.mapping ?? 0n, at + 24);
  target.writeBigUInt64LE(page.index ?? 0n, at + 32);
  target.writeUInt32LE(page.private ?? 0, at + 40);
  target.writeInt32LE((page.type ?? typeValues.none) | 0, at + 48);
  target.writeUInt32LE(page.refcount ?? 1, at + 52);
}

export const freeBlank: StructPage = { refcount: 0 };

export function freeHead(order: number): StructPage {
  return { type: typeValues.buddy, private: order, refcount: 0 };
}

/** A block of the buddy allocator: a head and blanks. */
export function freeBlock(order: number): readonly StructPage[] {
  return [freeHead(order), ...Array<StructPage>(2 ** order - 1).fill(freeBlank)];
}

/** A compound page whose head's struct page lies at `headAddress`. */
export function compound(
  head: StructPage,
  order: number,
  headAddress: bigint,
): readonly StructPage[] {
  const tail: StructPage = { compoundHead: headAddress | 1n, refcount: 0 };
  return [
    { ...head, flags: [...(head.flags ?? []), 'PG_head'] },
    { ...tail, order },
    ...Array<StructPage>(2 ** order - 2).fill(tail),
  ];
}

/** A compound page as of 7.1: its tails hold a mask, the same for every page of that order. */
export function maskedCompound(head: StructPage, order: number): readonly StructPage[] {
  const compoundHead = BigInt.asUintN(64, -BigInt(structPageBytes * 2 ** order)) | 1n;
  const tail: StructPage = { compoundHead, refcount: 0 };
  return [
    { ...head, flags: [...(head.flags ?? []), 'PG_head'] },
    { ...tail, orderInFlags: order },
    ...Array<StructPage>(2 ** order - 2).fill(tail),
  ];
}
