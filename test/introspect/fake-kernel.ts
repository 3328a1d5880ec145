// A kernel of a few structures in 8 MiB of test RAM: one node, one zone, two CPUs, a memmap, files. All of it is real
// bytes behind real page tables, so that introspection reads it as it reads a guest, and a test may damage any of it.
//
//   128 KiB ...    1 MiB ... 1.125 MiB   2 MiB ...    4 MiB ...
//   page tables    memmap                structures   ordinary pages
import type { Btf } from '../../introspect/kernel/btf/btf.js';
import type { Kernel, KernelSymbol } from '../../introspect/kernel/kernel.js';
import { PageTables } from '../../introspect/kernel/paging.js';
import { VirtualMemory } from '../../introspect/kernel/virtual-memory.js';
import { Vmcoreinfo } from '../../introspect/kernel/vmcoreinfo.js';
import { kernelTypes, zoneStatItems } from './kernel-types.js';
import { PageTableBuilder } from './kernel/page-table-builder.js';
import { freeBlock, type StructPage, structPageBytes, writeStructPage } from './mm/struct-page.js';
import { Ram } from './ram.js';

const directMap = 0xffff_8880_0000_0000n;
const ramBytes = 8 * 2 ** 20;
/** In frames that the zone owns. */
const tablesGpa = 0x2_0000;
const memmapGpa = 2 ** 20;
const structuresGpa = 2 * 2 ** 20;
const cpuOffsets = [0x10_0000n, 0x11_0000n];

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

export class FakeKernel {
  readonly ram = new Ram(ramBytes);
  readonly btf: Btf = kernelTypes();
  readonly memmapBase = directMap + BigInt(memmapGpa);
  readonly kernel: Kernel;
  readonly tables: PageTableBuilder;
  /** Address of the one struct zone that owns frames, the second of its node. */
  readonly zone: bigint;
  readonly section: bigint;
  readonly symbols = new Map<KernelSymbol, bigint>();
  readonly #pageset: bigint;
  readonly #zonestats: bigint;
  #next = structuresGpa;

  constructor() {
    this.tables = new PageTableBuilder(this.ram, 4, tablesGpa);
    for (let gpa = 0; gpa < ramBytes; gpa += 2 ** 21) {
      this.tables.map(directMap + BigInt(gpa), gpa, 2);
    }
    const node = this.allocate('pglist_data');
    this.zone = node + BigInt(this.#sizeOf('zone'));
    const nodeData = this.allocateBytes(8);
    this.setU64(nodeData, node);
    const roots = this.allocateBytes(8);
    this.section = this.allocateBytes(4096);
    this.setU64(roots, this.section);
    this.setU64(this.section, this.memmapBase | 0b1111n);

    // One variable per CPU: its address plus the CPU's offset is where that CPU's copy lies.
    const copies = this.allocateBytes(0x2_0000);
    this.#pageset = copies - cpuOffsets[0];
    this.#zonestats = this.#pageset + 0x1000n;
    this.set('zone', this.zone, 'zone_start_pfn', BigInt(zoneStart));
    this.set('zone', this.zone, 'spanned_pages', BigInt(frameCount - zoneStart));
    this.set('zone', this.zone, 'per_cpu_pageset', this.#pageset);
    this.set('zone', this.zone, 'per_cpu_zonestats', this.#zonestats);

    const offsets = this.allocateBytes(cpuOffsets.length * 8);
    cpuOffsets.forEach((offset, cpu) => {
      this.setU64(offsets + BigInt(cpu * 8), offset);
    });
    const possible = this.allocateBytes(8);
    this.setU64(possible, 0b11n);
    const count = this.allocateBytes(8);
    this.setU64(count, BigInt(cpuOffsets.length));
    this.symbols.set('__per_cpu_offset', offsets);
    this.symbols.set('__cpu_possible_mask', possible);
    this.symbols.set('nr_cpu_ids', count);
    for (let cpu = 0; cpu < cpuOffsets.length; cpu++) {
      for (let list = 0; list < this.#listCount(); list++) {
        this.setPcpList(cpu, list, []);
      }
    }
    for (let pfn = 0; pfn < frameCount; pfn++) {
      this.setPage(pfn, {});
    }

    this.kernel = {
      release: '6.1.0-fake',
      buildId: 'f4',
      memory: new VirtualMemory(this.ram, new PageTables(this.ram, this.tables.root, 4)),
      physical: this.ram,
      vmcoreinfo: new Vmcoreinfo(
        new Map([
          ['SYMBOL(node_data)', nodeData.toString(16)],
          ['LENGTH(node_data)', '1'],
          ['SYMBOL(mem_section)', roots.toString(16)],
          ['NUMBER(SECTION_SIZE_BITS)', '27'],
          ['NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)', '-129'],
        ]),
      ),
      btf: this.btf,
      pageTableRoot: this.tables.root,
      pagingLevels: 4,
      symbol: (name) => this.symbols.get(name),
    };
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

  /** A free block in the memmap and in the zone's counts. */
  addFreeBlock(pfn: number, order: number): void {
    this.setPages(pfn, freeBlock(order));
    const blockCount = this.freeBlockCountAt(order);
    this.setU64(blockCount, this.getU64(blockCount) + 1n);
    this.addToFreePageCount(2 ** order);
  }

  freeBlockCountAt(order: number): bigint {
    const area = BigInt(order * this.#sizeOf('free_area'));
    const areas = this.memberAt('zone', this.zone, 'free_area');
    return this.memberAt('free_area', areas + area, 'nr_free');
  }

  addToFreePageCount(pageCount: number): void {
    const counter =
      this.memberAt('zone', this.zone, 'vm_stat') + BigInt(zoneStatItems.NR_FREE_PAGES * 8);
    this.setU64(counter, this.getU64(counter) + BigInt(pageCount));
  }

  /** Counts of a CPU that are not yet part of the zone's. */
  setPendingFreePages(cpu: number, pageCount: number): void {
    const stats = this.#zonestats + cpuOffsets[cpu];
    const at = this.memberAt('per_cpu_zonestat', stats, 'vm_stat_diff');
    this.ram.bytes.writeInt8(pageCount, this.gpaOf(at) + zoneStatItems.NR_FREE_PAGES);
  }

  /** The CPU's struct per_cpu_pages. */
  pcpAt(cpu: number): bigint {
    return this.#pageset + cpuOffsets[cpu];
  }

  /** Address of the head of one list of a CPU. */
  pcpListAt(cpu: number, list: number): bigint {
    return this.memberAt('per_cpu_pages', this.pcpAt(cpu), 'lists') + BigInt(list * 16);
  }

  setPcpCount(cpu: number, pageCount: number): void {
    this.set('per_cpu_pages', this.pcpAt(cpu), 'count', BigInt(pageCount));
  }

  /** Links the frames in order and leaves their struct pages free; the count is not touched. */
  setPcpList(cpu: number, list: number, pfns: readonly number[]): void {
    for (const pfn of pfns) {
      this.setPage(pfn, { refcount: 0 });
    }
    const head = this.pcpListAt(cpu, list);
    const nodes = [head, ...pfns.map((pfn) => this.structPageAddress(pfn) + 8n)];
    nodes.forEach((node, index) => {
      const next = nodes[(index + 1) % nodes.length];
      this.setU64(node, next);
      this.setU64(next + 8n, node);
    });
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

  #listCount(): number {
    return this.#member('per_cpu_pages', 'lists').count;
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
