// Where in an image the structures lie that introspection relies on: what a test damages. Found through the intact
// kernel, as pieces of the image.
import { findKallsyms } from '../../../introspect/kernel/kallsyms/find.js';
import { tokenCount } from '../../../introspect/kernel/kallsyms/layout.js';
import type { Kernel, KernelSymbol } from '../../../introspect/kernel/kernel.js';
import { visitTablePages } from '../../../introspect/kernel/paging.js';
import { parseVmcoreinfo } from '../../../introspect/kernel/vmcoreinfo.js';
import type { Introspected } from '../../../introspect/label/find-kernel.js';
import { endPfn, pageIndexOf, pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { type Memmap, openMemmap } from '../../../introspect/mm/memmap.js';
import { possibleCpus } from '../../../introspect/mm/per-cpu.js';
import { nodeAddresses } from '../../../introspect/mm/zones/zone.js';

export interface Piece {
  /** Place in the image. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export type Found = Introspected & { readonly found: true };

/** Names per 8 bytes or so in kallsyms; a table of this many bytes is surely inside the names. */
const bytesPerName = 8;

export class Places {
  readonly kernel: Kernel;
  readonly memmap: Memmap;
  readonly #found: Found;
  #vmcoreinfo: Piece | undefined;

  constructor(found: Found) {
    this.#found = found;
    this.kernel = found.kernel;
    this.memmap = openMemmap(found.kernel, endPfn(found.memory.regions));
  }

  /** Place in the image of a kernel address. */
  of(address: bigint): number {
    const gpa = this.kernel.memory.translate(address);
    const page =
      gpa === undefined
        ? undefined
        : pageIndexOf(this.#found.memory.regions, Math.floor(gpa / pageSizeBytes));
    if (gpa === undefined || page === undefined) {
      throw new Error(`0x${address.toString(16)} is not mapped`);
    }
    return page * pageSizeBytes + (gpa % pageSizeBytes);
  }

  /** The pieces of RAM behind a run of kernel addresses, which may be scattered. */
  pieces(address: bigint, sizeBytes: number): readonly Piece[] {
    const pieces: Piece[] = [];
    for (let done = 0; done < sizeBytes;) {
      const at = address + BigInt(done);
      const length = Math.min(sizeBytes - done, pageSizeBytes - Number(at & 4095n));
      pieces.push({ offset: this.of(at), sizeBytes: length });
      done += length;
    }
    return pieces;
  }

  member(struct: string, address: bigint, ...paths: readonly string[]): bigint {
    return address + BigInt(this.#layout(struct, ...paths).offsetBytes);
  }

  sizeOf(struct: string): number {
    return this.kernel.btf.struct(struct)?.sizeBytes ?? 0;
  }

  symbol(name: KernelSymbol): bigint {
    const address = this.kernel.symbol(name);
    if (address === undefined) {
      throw new Error(`no symbol ${name}`);
    }
    return address;
  }

  u64(place: number): bigint {
    const word = Buffer.alloc(8);
    this.kernel.physical.readImage(place, word);
    return word.readBigUInt64LE();
  }

  structPage(pfn: number): Buffer {
    const bytes = Buffer.alloc(this.memmap.structPageBytes);
    this.memmap.read(pfn, bytes);
    return bytes;
  }

  /** Place of byte `within` of the frame's struct page. */
  structPageAt(pfn: number, within = 0): number {
    return this.of(this.memmap.base + BigInt(pfn * this.memmap.structPageBytes + within));
  }

  /** The text, not the rest of its page. */
  vmcoreinfo(): Piece {
    this.#vmcoreinfo ??= this.#findVmcoreinfo();
    return this.#vmcoreinfo;
  }

  #findVmcoreinfo(): Piece {
    const { memory } = this.#found;
    const page = Buffer.alloc(pageSizeBytes);
    for (let offset = 0; offset < memory.sizeBytes; offset += pageSizeBytes) {
      memory.readImage(offset, page);
      if (page.readUInt32LE() === 0x4552_534f && parseVmcoreinfo(page) !== undefined) {
        return { offset, sizeBytes: page.indexOf(0) };
      }
    }
    throw new Error('no VMCOREINFO page');
  }

  btf(): readonly Piece[] {
    const start = this.symbol('__start_BTF');
    return this.pieces(start, Number(this.symbol('__stop_BTF') - start));
  }

  kallsyms(): readonly Piece[] {
    const { memory, vmcoreinfo } = this.kernel;
    const numSyms = vmcoreinfo.symbol('kallsyms_num_syms');
    const stated = (name: string): bigint => vmcoreinfo.symbol(`kallsyms_${name}`) ?? 0n;
    const tables =
      numSyms === undefined
        ? findKallsyms(memory, vmcoreinfo.symbol('_stext') ?? 0n)
        : {
            numSyms,
            names: stated('names'),
            tokenTable: stated('token_table'),
            tokenIndex: stated('token_index'),
            offsets: stated('offsets'),
            relativeBase: vmcoreinfo.symbol('kallsyms_relative_base'),
          };
    if (tables === undefined) {
      throw new Error('no kallsyms');
    }
    const count = memory.u32(tables.numSyms) ?? 0;
    return [
      ...this.pieces(tables.numSyms, 4),
      ...(tables.relativeBase === undefined ? [] : this.pieces(tables.relativeBase, 8)),
      ...this.pieces(tables.tokenTable, 1024),
      ...this.pieces(tables.tokenIndex, tokenCount * 2),
      ...this.pieces(tables.names, count * bytesPerName),
      ...this.pieces(tables.offsets, count * 4),
    ];
  }

  /** Every table that the kernel's own top-level table leads to. */
  pageTables(): readonly Piece[] {
    const pieces: Piece[] = [];
    const { physical, pageTableRoot, pagingLevels } = this.kernel;
    const range = { first: 0, end: 512 };
    visitTablePages(physical, pageTableRoot, pagingLevels, range, new Set(), (gpa) => {
      const page = pageIndexOf(physical.regions, Math.floor(gpa / pageSizeBytes));
      if (page !== undefined) {
        pieces.push({ offset: page * pageSizeBytes, sizeBytes: pageSizeBytes });
      }
    });
    return pieces;
  }

  /** The entries on the way to what matters, from the top-level table down. */
  walkedEntries(): readonly Piece[] {
    const { kernel, memmap } = this;
    const addresses = [
      this.symbol('_text'),
      this.symbol('__start_BTF'),
      this.symbol('__per_cpu_offset'),
      memmap.base,
      memmap.base + BigInt(memmap.structPageBytes * (endPfn(kernel.physical.regions) - 1)),
      kernel.vmcoreinfo.symbol('mem_section') ?? 0n,
      ...this.#found.zones.map(({ address }) => address),
    ];
    const entries = new Map<number, Piece>();
    for (const address of addresses) {
      let table = kernel.pageTableRoot;
      for (let level: number = kernel.pagingLevels; level >= 1; level--) {
        const shift = BigInt(12 + 9 * (level - 1));
        const offset = table + Number((address >> shift) & 511n) * 8;
        entries.set(offset, { offset, sizeBytes: 8 });
        const entry = this.u64(offset);
        if (level === 1 || (entry & 0x80n) !== 0n) {
          break;
        }
        table = Number(entry & 0x000f_ffff_ffff_f000n);
      }
    }
    return [...entries.values()];
  }

  sections(): readonly Piece[] {
    const roots = this.kernel.vmcoreinfo.symbol('mem_section') ?? 0n;
    const first = this.u64(this.of(roots));
    const count = Math.ceil(endPfn(this.kernel.physical.regions) / this.memmap.sectionPageCount);
    return [...this.pieces(roots, 16), ...this.pieces(first, count * this.sizeOf('mem_section'))];
  }

  /** Each zone with its counts, and what the CPUs keep of them. */
  zones(): readonly Piece[] {
    const cpus = possibleCpus(this.kernel);
    return this.#found.zones.flatMap(({ address }) => [
      ...this.pieces(address, this.sizeOf('zone')),
      ...cpus.flatMap(({ offset }) =>
        [
          ['per_cpu_pageset', 'per_cpu_pages'],
          ['pageset', 'per_cpu_pageset'],
          ['per_cpu_zonestats', 'per_cpu_zonestat'],
        ].flatMap(([pointer, struct]) => {
          const member = this.kernel.btf.struct('zone')?.member(pointer);
          return member === undefined
            ? []
            : this.pieces(
                BigInt.asUintN(
                  64,
                  this.u64(this.of(address + BigInt(member.offsetBytes))) + offset,
                ),
                this.sizeOf(struct),
              );
        }),
      ),
    ]);
  }

  /** What each node counts of its pages. */
  nodeCounters(): readonly Piece[] {
    const totals = this.#layout('pglist_data', 'vm_stat');
    return [...nodeAddresses(this.kernel).values()].flatMap((node) => [
      ...this.pieces(node + BigInt(totals.offsetBytes), totals.sizeBytes),
      ...this.pieces(this.member('pglist_data', node, 'per_cpu_nodestats'), 8),
      ...possibleCpus(this.kernel).flatMap(({ offset }) =>
        this.pieces(
          BigInt.asUintN(
            64,
            this.u64(this.of(this.member('pglist_data', node, 'per_cpu_nodestats'))) + offset,
          ),
          this.sizeOf('per_cpu_nodestat'),
        ),
      ),
    ]);
  }

  cpus(): readonly Piece[] {
    return [
      ...this.pieces(this.symbol('__per_cpu_offset'), 16),
      ...this.pieces(this.symbol('nr_cpu_ids'), 4),
      ...this.pieces(this.symbol('__cpu_possible_mask'), 8),
    ];
  }

  #layout(struct: string, ...paths: readonly string[]) {
    const member = this.kernel.btf.struct(struct)?.member(...paths);
    if (member === undefined) {
      throw new Error(`no ${struct}.${paths.join(' or ')}`);
    }
    return member;
  }
}
