// A kernel of a few structures in 8 MiB of test RAM: one node, one zone, two CPUs, a memmap, files. All of it is real
// bytes behind real page tables, so that introspection reads it as it reads a guest, and a test may damage any of it.
// It is 6.1-like; with another era, the structures are laid out as kernels of that time do.
//
//   128 KiB ...    1 MiB ... 1.125 MiB   2 MiB ...    4 MiB ...
//   page tables    memmap                structures   ordinary pages
import type { Btf } from '../../introspect/kernel/btf/btf.js';
import type { Kernel, KernelSymbol } from '../../introspect/kernel/kernel.js';
import { PageTables } from '../../introspect/kernel/paging.js';
import { VirtualMemory } from '../../introspect/kernel/virtual-memory.js';
import { Vmcoreinfo } from '../../introspect/kernel/vmcoreinfo.js';
import type { Introspected } from '../../introspect/label/find-kernel.js';
import { readZones } from '../../introspect/mm/zones/zone.js';
import { PageTableBuilder } from './kernel/page-table-builder.js';
import {
  buddyOrderCount,
  type Era,
  hugePageListCount,
  kernelTypes,
  type NodeStatItem,
  nodeStatItems,
  zoneStatItems,
} from './kernel-types.js';
import {
  freeBlock,
  lateTypeValues,
  type StructPage,
  structPageBytes,
  typeValues,
  writeStructPage,
} from './mm/struct-page.js';
import { Ram } from './ram.js';

const directMap = 0xffff_8880_0000_0000n;
const ramBytes = 8 * 2 ** 20;
/** In frames that the zone owns. */
const tablesGpa = 0x2_0000;
const memmapGpa = 2 ** 20;
const structuresGpa = 2 * 2 ** 20;
const smpOffsets: readonly bigint[] = [0x10_0000n, 0x11_0000n];
/** What a CPU has of each zone, in its per-CPU area. */
const perZoneBytes = 0x2000n;
/** The one zone that owns frames from the start is of this kind. */
const firstZoneIndex = 1;

export const frameCount = ramBytes / 4096;
/** The zone does not own the first frames, as no zone owns frame 0. */
export const zoneStart = 16;
/** The first frame that nothing of the fake kernel itself lies in. */
export const firstOrdinaryPfn = 1024;

export interface FileSpec {
  readonly mode?: number;
  readonly linkCount?: number;
  readonly sizeBytes?: bigint;
  readonly inodeFlags?: number;
  readonly mappingFlags?: bigint;
  readonly fileSystem?: string;
  /** Undefined: the file system has no disk. */
  readonly disk?: string | undefined;
}

export interface FileAddresses {
  readonly mapping: bigint;
  readonly inode: bigint;
  readonly superBlock: bigint;
}

export interface FakeKernelOptions {
  readonly era?: Era;
  /** More than one: only the first has zones that own frames. */
  readonly nodeCount?: number;
  /** False: built for one CPU alone (CONFIG_SMP=n). */
  readonly hasSmp?: boolean;
}

export class FakeKernel {
  readonly ram = new Ram(ramBytes);
  readonly btf: Btf;
  readonly memmapBase = directMap + BigInt(memmapGpa);
  readonly kernel: Kernel;
  readonly tables: PageTableBuilder;
  /** Address of the one struct zone that owns frames, the second of its node. */
  readonly zone: bigint;
  readonly section: bigint;
  readonly symbols = new Map<KernelSymbol, bigint>();
  readonly #era: Era;
  readonly #nodes: readonly bigint[];
  readonly #cpuOffsets: readonly bigint[];
  /** Per-CPU address of where a CPU's copies begin. */
  readonly #perCpu: bigint;
  #next = structuresGpa;

  constructor({ era = '6.1', nodeCount = 1, hasSmp = true }: FakeKernelOptions = {}) {
    this.#era = era;
    this.#cpuOffsets = hasSmp ? smpOffsets : [0n];
    this.btf = kernelTypes(era, hasSmp);
    this.tables = new PageTableBuilder(this.ram, 4, tablesGpa);
    for (let gpa = 0; gpa < ramBytes; gpa += 2 ** 21) {
      this.tables.map(directMap + BigInt(gpa), gpa, 2);
    }
    const nodeData = this.allocateBytes(nodeCount * 8);
    this.#nodes = Array.from({ length: nodeCount }, (_, node) => {
      const address = this.allocate('pglist_data');
      this.setU64(nodeData + BigInt(node * 8), address);
      return address;
    });
    const roots = this.allocateBytes(8);
    this.section = this.allocateBytes(4096);
    this.setU64(roots, this.section);
    this.setU64(this.section, this.memmapBase | 0b1111n);

    // One variable per CPU: its address plus the CPU's offset is where that CPU's copy lies.
    this.#perCpu = this.allocateBytes(0x2_0000) - this.#cpuOffsets[0];
    const offsets = this.allocateBytes(this.#cpuOffsets.length * 8);
    this.#cpuOffsets.forEach((offset, cpu) => {
      this.setU64(offsets + BigInt(cpu * 8), offset);
    });
    const possible = this.allocateBytes(8);
    this.setU64(possible, hasSmp ? 0b11n : 0b1n);
    const count = this.allocateBytes(8);
    this.setU64(count, BigInt(this.#cpuOffsets.length));
    this.symbols.set('__cpu_possible_mask', possible);
    if (hasSmp) {
      this.symbols.set('__per_cpu_offset', offsets);
      this.symbols.set('nr_cpu_ids', count);
    }
    const vmemmapBase = this.allocateBytes(8);
    this.setU64(vmemmapBase, this.memmapBase);
    this.symbols.set('vmemmap_base', vmemmapBase);
    const text = this.allocateBytes(64);
    this.symbols.set('_text', text);
    this.symbols.set('_etext', text + 64n);
    this.#nodes.forEach((address, node) => {
      const stats = this.#perCpu + 0xf000n + BigInt(node * 64);
      this.set('pglist_data', address, 'per_cpu_nodestats', stats);
    });
    this.zone = this.addZone(firstZoneIndex, zoneStart, frameCount);
    for (let pfn = 0; pfn < frameCount; pfn++) {
      this.setPage(pfn, {});
    }

    const buddyType = era === '7.3' ? lateTypeValues.buddy : typeValues.buddy;
    const types = {
      BUDDY: buddyType,
      OFFLINE: era === '7.3' ? lateTypeValues.offline : typeValues.offline,
      ...(era === '7.3' ? { SLAB: lateTypeValues.slab, HUGETLB: lateTypeValues.hugetlb } : {}),
    };
    this.kernel = {
      release: `${era}.0-fake`,
      buildId: 'f4',
      memory: new VirtualMemory(this.ram, new PageTables(this.ram, this.tables.root, 4)),
      physical: this.ram,
      vmcoreinfo: new Vmcoreinfo(
        new Map([
          ['SYMBOL(node_data)', nodeData.toString(16)],
          ['LENGTH(node_data)', nodeCount.toString()],
          ['SYMBOL(mem_section)', roots.toString(16)],
          ['NUMBER(SECTION_SIZE_BITS)', '27'],
          ...Object.entries(types).map(
            ([name, value]) =>
              [`NUMBER(PAGE_${name}_MAPCOUNT_VALUE)`, (value | 0).toString()] as const,
          ),
        ]),
      ),
      btf: this.btf,
      hasBtf: true,
      pageTableRoot: this.tables.root,
      pagingLevels: 4,
      kallsyms: {
        source: 'vmcoreinfo',
        symbolCount: 0,
        tables: {
          numSyms: 0n,
          names: 0n,
          tokenTable: 0n,
          tokenIndex: 0n,
          offsets: 0n,
          relativeBase: undefined,
        },
      },
      symbol: (name) => this.symbols.get(name),
    };
  }

  /** As if found in an image that says nothing of the CPUs. */
  get introspected(): Extract<Introspected, { found: true }> {
    const { kernel, ram } = this;
    const running = { proven: false, reason: 'no device state was given' } as const;
    return { found: true, memory: ram, kernel, zones: readZones(kernel), running };
  }

  /** Gives the zone of that kind, of the first node, frames, and empty lists; returns its address. */
  addZone(index: number, startPfn: number, endPfn: number): bigint {
    const zone = this.zoneAt(index);
    this.set('zone', zone, 'zone_start_pfn', BigInt(startPfn));
    this.set('zone', zone, 'spanned_pages', BigInt(endPfn - startPfn));
    const perCpu = this.#perCpu + BigInt(index) * perZoneBytes;
    if (this.#era === '5.10') {
      this.set('zone', zone, 'pageset', perCpu);
    } else {
      this.set('zone', zone, 'per_cpu_pageset', perCpu);
      this.set('zone', zone, 'per_cpu_zonestats', perCpu + 0x1000n);
    }
    for (let cpu = 0; cpu < this.#cpuOffsets.length; cpu++) {
      for (let list = 0; list < this.pcpListCount; list++) {
        this.#link([this.pcpListAt(cpu, list, index)]);
      }
    }
    for (let order = 0; order < buddyOrderCount; order++) {
      for (let type = 0; type < this.#member('free_area', 'free_list').count; type++) {
        this.#link([this.buddyListAt(order, type, index)]);
      }
    }
    return zone;
  }

  zoneAt(index: number): bigint {
    return this.#nodes[0] + BigInt(index * this.#sizeOf('zone'));
  }

  /** Kernel virtual address of zeroed bytes that nothing else uses. */
  allocateBytes(sizeBytes: number): bigint {
    const gpa = this.#next;
    this.#next += Math.ceil(sizeBytes / 64) * 64;
    return directMap + BigInt(gpa);
  }

  allocate(struct: string): bigint {
    return this.allocateBytes(this.#sizeOf(struct));
  }

  string(text: string): bigint {
    const address = this.allocateBytes(text.length + 1);
    this.ram.bytes.write(text, this.gpaOf(address));
    return address;
  }

  gpaOf(address: bigint): number {
    return Number(address - directMap);
  }

  setU64(address: bigint, value: bigint): void {
    this.ram.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.gpaOf(address));
  }

  getU64(address: bigint): bigint {
    return this.ram.bytes.readBigUInt64LE(this.gpaOf(address));
  }

  /** Writes as many bytes as the member has. */
  set(struct: string, address: bigint, path: string, value: bigint): void {
    const member = this.#member(struct, path);
    const at = this.gpaOf(address) + member.offsetBytes;
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    bytes.copy(this.ram.bytes, at, 0, Math.min(8, member.sizeBytes));
  }

  /** Address of a member. */
  memberAt(struct: string, address: bigint, path: string): bigint {
    return address + BigInt(this.#member(struct, path).offsetBytes);
  }

  setPage(pfn: number, page: StructPage): void {
    writeStructPage(this.ram.bytes, memmapGpa + pfn * structPageBytes, page);
  }

  structPageAddress(pfn: number): bigint {
    return this.memmapBase + BigInt(pfn * structPageBytes);
  }

  setPages(firstPfn: number, pages: readonly StructPage[]): void {
    pages.forEach((page, index) => {
      this.setPage(firstPfn + index, page);
    });
  }

  /** A free block in the memmap, in the zone's counts, and at the end of its list of the first migrate type. */
  addFreeBlock(pfn: number, order: number): void {
    const [head, ...blanks] = freeBlock(order);
    const type = this.#era === '7.3' ? lateTypeValues.buddy : typeValues.buddy;
    this.setPages(pfn, [{ ...head, type }, ...blanks]);
    const blockCount = this.freeBlockCountAt(order);
    this.setU64(blockCount, this.getU64(blockCount) + 1n);
    this.addToFreePageCount(2 ** order);
    const list = this.buddyListAt(order);
    const last = this.getU64(list + 8n);
    this.#link([last, this.linkOf(pfn), list], false);
  }

  freeBlockCountAt(order: number): bigint {
    return this.memberAt('free_area', this.#freeArea(order, firstZoneIndex), 'nr_free');
  }

  /** Address of the head of a list of free blocks. */
  buddyListAt(order: number, type = 0, zoneIndex = firstZoneIndex): bigint {
    const lists = this.memberAt('free_area', this.#freeArea(order, zoneIndex), 'free_list');
    return lists + BigInt(type * 16);
  }

  addToFreePageCount(pageCount: number): void {
    const counter =
      this.memberAt('zone', this.zone, 'vm_stat') + BigInt(zoneStatItems.NR_FREE_PAGES * 8);
    this.setU64(counter, this.getU64(counter) + BigInt(pageCount));
  }

  /** Counts of a CPU that are not yet part of the zone's. */
  setPendingFreePages(cpu: number, pageCount: number): void {
    const perCpu = this.#perZone(cpu, firstZoneIndex);
    const at =
      this.#era === '5.10'
        ? this.memberAt('per_cpu_pageset', perCpu, 'vm_stat_diff')
        : this.memberAt('per_cpu_zonestat', perCpu + 0x1000n, 'vm_stat_diff');
    this.ram.bytes.writeInt8(pageCount, this.gpaOf(at) + zoneStatItems.NR_FREE_PAGES);
  }

  setNodeCounter(item: NodeStatItem, count: bigint, node = 0): void {
    const counters = this.memberAt('pglist_data', this.#nodes[node], 'vm_stat');
    this.setU64(counters + BigInt(nodeStatItems[item] * 8), count);
  }

  /** What a CPU has counted of a node and not yet added. */
  setPendingNodeCounter(item: NodeStatItem, cpu: number, count: number, node = 0): void {
    const stats = this.getU64(this.memberAt('pglist_data', this.#nodes[node], 'per_cpu_nodestats'));
    const at = this.memberAt(
      'per_cpu_nodestat',
      stats + this.#cpuOffsets[cpu],
      'vm_node_stat_diff',
    );
    this.ram.bytes.writeInt8(count, this.gpaOf(at) + nodeStatItems[item]);
  }

  nodeAt(node: number): bigint {
    return this.#nodes[node];
  }

  get pcpListCount(): number {
    return this.#member('per_cpu_pages', 'lists').count;
  }

  /** The CPU's struct per_cpu_pages. */
  pcpAt(cpu: number, zoneIndex = firstZoneIndex): bigint {
    const perCpu = this.#perZone(cpu, zoneIndex);
    return this.#era === '5.10' ? this.memberAt('per_cpu_pageset', perCpu, 'pcp') : perCpu;
  }

  /** Address of the head of one list of a CPU. */
  pcpListAt(cpu: number, list: number, zoneIndex = firstZoneIndex): bigint {
    const lists = this.memberAt('per_cpu_pages', this.pcpAt(cpu, zoneIndex), 'lists');
    return lists + BigInt(list * 16);
  }

  setPcpCount(cpu: number, pageCount: number): void {
    this.set('per_cpu_pages', this.pcpAt(cpu), 'count', BigInt(pageCount));
  }

  /** Links the frames in order and leaves their struct pages free; the count is not touched. */
  setPcpList(cpu: number, list: number, pfns: readonly number[]): void {
    for (const pfn of pfns) {
      this.setPage(pfn, { refcount: 0 });
    }
    this.#link([this.pcpListAt(cpu, list), ...pfns.map((pfn) => this.linkOf(pfn))]);
  }

  /** The list_head in a frame's struct page. */
  linkOf(pfn: number): bigint {
    return this.structPageAddress(pfn) + 8n;
  }

  /** A size of huge pages, with free ones on the lists of two nodes; what they are in the memmap is not touched. */
  addHugePageSize(order: number, free: readonly (readonly number[])[]): bigint {
    const layout = this.#sizeOf('hstate');
    const states = this.symbols.get('hstates') ?? this.allocateBytes(4 * layout);
    const count = this.symbols.get('hugetlb_max_hstate') ?? this.allocateBytes(8);
    this.symbols.set('hstates', states);
    this.symbols.set('hugetlb_max_hstate', count);
    const state = states + this.getU64(count) * BigInt(layout);
    this.setU64(count, this.getU64(count) + 1n);
    this.set('hstate', state, 'order', BigInt(order));
    this.set('hstate', state, 'free_huge_pages', BigInt(free.flat().length));
    for (let node = 0; node < hugePageListCount; node++) {
      const list = this.memberAt('hstate', state, 'hugepage_freelists') + BigInt(node * 16);
      this.#link([list, ...(free.at(node) ?? []).map((pfn) => this.linkOf(pfn))]);
    }
    return state;
  }

  /** A regular, linked file of 1 MiB on ext4 on vda, but for what `spec` says. */
  addFile(spec: FileSpec = {}): FileAddresses {
    const superBlock = this.allocate('super_block');
    const fileSystem = this.allocate('file_system_type');
    this.set('file_system_type', fileSystem, 'name', this.string(spec.fileSystem ?? 'ext4'));
    this.set('super_block', superBlock, 's_type', fileSystem);
    const diskName = 'disk' in spec ? spec.disk : 'vda';
    if (diskName !== undefined) {
      const device = this.allocate('block_device');
      const disk = this.allocate('gendisk');
      this.ram.bytes.write(diskName, this.gpaOf(this.memberAt('gendisk', disk, 'disk_name')));
      this.set('block_device', device, 'bd_disk', disk);
      this.set('super_block', superBlock, 's_bdev', device);
    }
    const inode = this.allocate('inode');
    const mapping = this.allocate('address_space');
    this.set('inode', inode, 'i_mode', BigInt(spec.mode ?? 0o100644));
    this.set('inode', inode, 'i_flags', BigInt(spec.inodeFlags ?? 0));
    this.set('inode', inode, 'i_sb', superBlock);
    this.set('inode', inode, 'i_mapping', mapping);
    this.set('inode', inode, 'i_nlink', BigInt(spec.linkCount ?? 1));
    this.set('inode', inode, 'i_size', spec.sizeBytes ?? 2n ** 20n);
    this.set('address_space', mapping, 'host', inode);
    this.set('address_space', mapping, 'flags', spec.mappingFlags ?? 0n);
    return { mapping, inode, superBlock };
  }

  /** Links list heads one after the other, and the last to the first unless it is not to be. */
  #link(nodes: readonly bigint[], isCircle = true): void {
    nodes.forEach((node, index) => {
      if (isCircle || index + 1 < nodes.length) {
        const next = nodes[(index + 1) % nodes.length];
        this.setU64(node, next);
        this.setU64(next + 8n, node);
      }
    });
  }

  #perZone(cpu: number, zoneIndex: number): bigint {
    return this.#perCpu + this.#cpuOffsets[cpu] + BigInt(zoneIndex) * perZoneBytes;
  }

  #freeArea(order: number, zoneIndex: number): bigint {
    const areas = this.memberAt('zone', this.zoneAt(zoneIndex), 'free_area');
    return areas + BigInt(order * this.#sizeOf('free_area'));
  }

  #sizeOf(name: string): number {
    const struct = this.btf.struct(name);
    if (struct === undefined) {
      throw new Error(`kernel-types.ts has no struct ${name}`);
    }
    return struct.sizeBytes;
  }

  #member(struct: string, path: string) {
    const member = this.btf.struct(struct)?.member(path);
    if (member === undefined) {
      throw new Error(`kernel-types.ts has no ${struct}.${path}`);
    }
    return member;
  }
}
