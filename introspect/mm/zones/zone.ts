// Zones: the kernel's own account of its memory, per node and kind (struct pglist_data and struct zone,
// include/linux/mmzone.h). What it counts as free is what the labels are held against.
import { expect, expectArrayOf, Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { StructTypes } from '../../kernel/kernel-types.js';
import { endPfn, type Pfn } from '../../memory/physical-memory.js';
import { isUniprocessor, possibleCpus } from '../per-cpu.js';

/** No x86-64 configuration has more than 1024 nodes (NODES_SHIFT 10). */
const nodeLimit = 1024;
/** MAX_NR_ZONES is 6 at most: DMA, DMA32, Normal, Highmem, Movable, Device. */
const zoneTypeLimit = 8;
/** Orders of the buddy allocator: 11, and 18 with the largest blocks that any configuration has. */
const orderLimit = 20;
/** Nodes that take turns in RAM all span it. How often a frame may be spanned, on the average. */
const spanLimit = 64;
const spanBesides = 2 ** 20;
/** Each CPU keeps counts and lists of each zone: more of both together are a forgery that costs hours. */
const perCpuLimit = 2 ** 18;

/** What a CPU may not have added yet: it counts in a signed byte (vm_stat_diff). */
const largestDifference = 128;

export interface Zone {
  readonly node: number;
  /** enum zone_type. */
  readonly index: number;
  /** Kernel virtual address of the struct zone. */
  readonly address: bigint;
  readonly startPfn: Pfn;
  /** One past the last frame it may own. */
  readonly endPfn: Pfn;
  /** NR_FREE_PAGES with the CPUs' pending differences: pages in the buddy allocator. */
  readonly freePageCount: number;
  /** By how many pages that may be off: 0, but where the CPUs' differences can't be read. */
  readonly uncountedPageCount: number;
  /** `free_area[order].nr_free`: blocks per order. */
  readonly freeBlockCounts: readonly number[];
}

/**
 * Where node and zone stand in struct page's flags, together at the top (include/linux/page-flags-layout.h; with
 * SPARSEMEM_VMEMMAP no section number stands above them).
 */
export interface ZoneBits {
  /** Shift of the flags' upper 32 bits that leaves node and zone. */
  readonly shift: number;
  readonly zoneWidth: number;
}

/** Zones that own any frame. */
export function readZones(kernel: Kernel): readonly Zone[] {
  const nodeLayout = expect(kernel.btf.struct('pglist_data'), 'struct pglist_data');
  const zoneLayout = expect(kernel.btf.struct('zone'), 'struct zone');
  const zonesOffset = expectArrayOf(
    zoneLayout.sizeBytes,
    nodeLayout.member('node_zones'),
    'pglist_data.node_zones',
  );
  const zoneTypeCount = zonesOffset.count;
  const nodes = nodeAddresses(kernel);
  if (zoneTypeCount > zoneTypeLimit) {
    throw new Inconsistency(`a node has ${zoneTypeCount} zones`);
  }
  if (new Set(nodes.values()).size < nodes.size) {
    throw new Inconsistency('two nodes are the same structure');
  }
  expectFewPerCpu(kernel, nodes.size * zoneTypeCount);
  const zones: Zone[] = [];
  nodes.forEach((address, node) => {
    for (let index = 0; index < zoneTypeCount; index++) {
      const zone = readZone(
        kernel,
        zoneLayout,
        node,
        index,
        address + BigInt(zonesOffset.offsetBytes + index * zoneLayout.sizeBytes),
      );
      if (zone.endPfn > zone.startPfn) {
        zones.push(zone);
      }
    }
  });
  if (zones.length === 0) {
    throw new Inconsistency('no zone owns any page');
  }
  const imageEnd = endPfn(kernel.physical.regions);
  const spanned = zones.reduce(
    (sum, zone) => sum + Math.max(0, Math.min(zone.endPfn, imageEnd) - zone.startPfn),
    0,
  );
  if (spanned > spanLimit * imageEnd + spanBesides) {
    throw new Inconsistency(`zones span ${spanned} frames, of ${imageEnd}`);
  }
  return zones;
}

/** `count`: structures that each CPU has a part of. */
export function expectFewPerCpu(kernel: Kernel, count: number): void {
  const cpuCount = possibleCpus(kernel).length;
  if (count * cpuCount > perCpuLimit) {
    throw new Inconsistency(`${cpuCount} CPUs keep parts of ${count} zones or nodes each`);
  }
}

export function zoneBits(kernel: Kernel): ZoneBits {
  const zoneTypeCount = expect(
    kernel.btf.enumeration('zone_type')?.get('__MAX_NR_ZONES'),
    'enum zone_type',
  );
  // ZONES_SHIFT: 1 bit for two zones, 2 for up to four, 3 for up to eight.
  const zoneWidth = Math.ceil(Math.log2(zoneTypeCount));
  const nodeWidth = Math.ceil(Math.log2(kernel.vmcoreinfo.length('node_data') ?? 1));
  if (zoneWidth < 1 || zoneWidth > 3 || nodeWidth > 10) {
    throw new Inconsistency(`${zoneTypeCount} kinds of zone on 2^${nodeWidth} nodes`);
  }
  return { shift: 32 - nodeWidth - zoneWidth, zoneWidth };
}

/** Node and zone as one number, as they stand in the flags. */
export function zoneKey(bits: ZoneBits, zone: Zone): number {
  return (zone.node << bits.zoneWidth) | zone.index;
}

/** By node number; nodes that are not there are left out. */
export function nodeAddresses(kernel: Kernel): ReadonlyMap<number, bigint> {
  const nodes = new Map<number, bigint>();
  const single = kernel.vmcoreinfo.symbol('contig_page_data');
  const array = kernel.vmcoreinfo.symbol('node_data');
  if (array !== undefined) {
    const count = Math.min(kernel.vmcoreinfo.length('node_data') ?? 1, nodeLimit);
    const pointers = expect(kernel.memory.bytes(array, count * 8), 'node_data');
    for (let node = 0; node < count; node++) {
      const address = pointers.readBigUInt64LE(node * 8);
      if (address !== 0n) {
        nodes.set(node, address);
      }
    }
  } else if (single !== undefined) {
    nodes.set(0, single);
  }
  return nodes;
}

function readZone(
  kernel: Kernel,
  layout: StructTypes,
  node: number,
  index: number,
  address: bigint,
): Zone {
  const bytes = kernel.memory.bytes(address, layout.sizeBytes);
  if (bytes === undefined) {
    throw new Inconsistency(`zone ${index} of node ${node} is not mapped`);
  }
  const word = (path: string): number =>
    Number(bytes.readBigUInt64LE(expect(layout.member(path), `zone.${path}`).offsetBytes));
  const startPfn = word('zone_start_pfn');
  const spanned = word('spanned_pages');
  if (!Number.isSafeInteger(startPfn) || !Number.isSafeInteger(spanned)) {
    throw new Inconsistency(
      `zone ${index} of node ${node} spans ${spanned} frames from ${startPfn}`,
    );
  }
  return {
    node,
    index,
    address,
    startPfn,
    endPfn: startPfn + spanned,
    freePageCount: spanned === 0 ? 0 : freePageCount(kernel, layout, bytes),
    uncountedPageCount: kernel.hasBtf ? 0 : possibleCpus(kernel).length * largestDifference,
    freeBlockCounts: freeBlockCounts(kernel, layout, bytes),
  };
}

function freePageCount(kernel: Kernel, layout: StructTypes, zone: Buffer): number {
  const item = expect(
    kernel.btf.enumeration('zone_stat_item')?.get('NR_FREE_PAGES'),
    'NR_FREE_PAGES',
  );
  const counters = expectArrayOf(8, layout.member('vm_stat'), 'zone.vm_stat');
  if (item < 0 || item >= counters.count) {
    throw new Inconsistency(`NR_FREE_PAGES is ${item}, of ${counters.count} counters`);
  }
  const total = Number(zone.readBigInt64LE(counters.offsetBytes + item * 8));
  return kernel.hasBtf ? total + pendingDifference(kernel, layout, zone, item) : total;
}

/** Counts not yet folded into the zone: in per_cpu_zonestat since 5.14, in per_cpu_pageset before. */
function pendingDifference(
  kernel: Kernel,
  layout: StructTypes,
  zone: Buffer,
  item: number,
): number {
  if (isUniprocessor(kernel)) {
    return 0;
  }
  const own = layout.member('per_cpu_zonestats');
  const pointer = expect(own ?? layout.member('pageset'), 'zone.per_cpu_zonestats or zone.pageset');
  const struct = own === undefined ? 'per_cpu_pageset' : 'per_cpu_zonestat';
  const difference = expect(
    kernel.btf.struct(struct)?.member('vm_stat_diff'),
    `${struct}.vm_stat_diff`,
  );
  const stats = zone.readBigUInt64LE(pointer.offsetBytes);
  let sum = 0;
  for (const cpu of possibleCpus(kernel)) {
    const at = BigInt.asUintN(64, stats + cpu.offset) + BigInt(difference.offsetBytes + item);
    sum += expect(kernel.memory.bytes(at, 1), `the zone counters of CPU ${cpu.number}`).readInt8(0);
  }
  return sum;
}

function freeBlockCounts(kernel: Kernel, layout: StructTypes, zone: Buffer): readonly number[] {
  const area = expect(kernel.btf.struct('free_area'), 'struct free_area');
  const areas = expectArrayOf(area.sizeBytes, layout.member('free_area'), 'zone.free_area');
  const count = expect(area.member('nr_free'), 'free_area.nr_free');
  if (areas.count > orderLimit) {
    throw new Inconsistency(`the buddy allocator has ${areas.count} orders`);
  }
  return Array.from({ length: areas.count }, (_, order) =>
    Number(zone.readBigUInt64LE(areas.offsetBytes + order * area.sizeBytes + count.offsetBytes)),
  );
}
