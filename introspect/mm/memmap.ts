// The memmap: the kernel's array of struct page, one per page frame (mm/sparse.c, mm/sparse-vmemmap.c).
//
// With SPARSEMEM_VMEMMAP the array is one run of virtual addresses. Every section (128 MiB of frames) states where it
// would begin for frame 0, and all present sections must state the same.
import { expect, Inconsistency } from '../inconsistency.js';
import type { Kernel } from '../kernel/kernel.js';
import { endPfn, pageSizeBytes, type Pfn } from '../memory/physical-memory.js';

/** Bits of section_mem_map below the address: flags 0-4, and bit 5 since 6.16. */
const sectionFlagMask = 63n;
const sectionHasMemmap = 2n;
const sectionOnline = 4n;

export interface Memmap {
  /** Kernel virtual address of frame 0's struct page. */
  readonly base: bigint;
  readonly structPageBytes: number;
  /** Frames per section. */
  readonly sectionPageCount: number;
  /** False: no struct page describes the section's frames. */
  isOnline(section: number): boolean;
  /** Fills `target` with the struct pages of whole frames from `pfn`. Throws Inconsistency where the memmap is not mapped. */
  read(pfn: Pfn, target: Uint8Array): void;
}

/** `imageEnd`: one past the highest frame that will be asked for. */
export function openMemmap(kernel: Kernel, imageEnd: Pfn): Memmap {
  const structPageBytes = expect(kernel.btf.struct('page'), 'struct page').sizeBytes;
  if (structPageBytes < 56 || structPageBytes % 8 !== 0 || structPageBytes > 256) {
    throw new Inconsistency(`struct page of ${structPageBytes} bytes`);
  }
  const sectionBits = Number(
    expect(kernel.vmcoreinfo.number('SECTION_SIZE_BITS'), 'NUMBER(SECTION_SIZE_BITS)'),
  );
  if (sectionBits < 24 || sectionBits > 34) {
    throw new Inconsistency(`sections of 2^${sectionBits} bytes`);
  }
  const sectionPageCount = 2 ** sectionBits / pageSizeBytes;
  const { online, base } = readSections(kernel, Math.ceil(imageEnd / sectionPageCount));
  if (base !== vmemmapBase(kernel)) {
    throw new Inconsistency(
      `the memory sections put the memmap at 0x${base.toString(16)}, which is not where this kernel keeps it`,
    );
  }
  return {
    base,
    structPageBytes,
    sectionPageCount,
    isOnline: (section) => online[section] === 1,
    read: memmapReader(kernel, base, structPageBytes),
  };
}

/** Where x86-64 has the memmap unless the kernel moves it (Documentation/arch/x86/x86_64/mm.rst). */
const fixedVmemmapBase = 0xffff_ea00_0000_0000n;

/** A variable since kernels move it, with five-level paging or under KASLR (`vmemmap_base`). */
function vmemmapBase(kernel: Kernel): bigint | undefined {
  const variable = kernel.symbol('vmemmap_base');
  return variable === undefined ? fixedVmemmapBase : kernel.memory.u64(variable);
}

/** Reads by page tables, which are walked once for each run that they map: 2 MiB, or 4 KiB where memory was short. */
function memmapReader(kernel: Kernel, base: bigint, structPageBytes: number): Memmap['read'] {
  let mapped = { first: 0, end: 0, gpa: 0 };
  return (pfn, target) => {
    const start = pfn * structPageBytes;
    for (let done = 0; done < target.length;) {
      const at = start + done;
      if (at < mapped.first || at >= mapped.end) {
        const place = kernel.memory.mappingOf(base + BigInt(at));
        if (place === undefined) {
          throw new Inconsistency(`the memmap of frame ${pfn} is not mapped`);
        }
        mapped = { first: at, end: at + place.contiguousBytes, gpa: place.gpa };
      }
      const length = Math.min(mapped.end - at, target.length - done);
      const piece = target.subarray(done, done + length);
      const gpa = mapped.gpa + at - mapped.first;
      if (!kernel.physical.read(gpa, piece)) {
        throw new Inconsistency(`the memmap of frame ${pfn} lies outside the image`);
      }
      kernel.memory.evidence.add(gpa, length);
      done += length;
    }
  };
}

function readSections(kernel: Kernel, sectionCount: number) {
  const entryBytes = expect(kernel.btf.struct('mem_section'), 'struct mem_section').sizeBytes;
  const mapOffset = expect(
    kernel.btf.struct('mem_section')?.member('section_mem_map'),
    'mem_section.section_mem_map',
  ).offsetBytes;
  // With SPARSEMEM_EXTREME the line holds the variable's value: the address of the array of roots.
  const roots = expect(kernel.vmcoreinfo.symbol('mem_section'), 'SYMBOL(mem_section)');
  const entriesPerRoot = Math.floor(pageSizeBytes / entryBytes);
  if (!Number.isFinite(entriesPerRoot) || entriesPerRoot === 0) {
    throw new Inconsistency(`struct mem_section of ${entryBytes} bytes`);
  }
  const online = new Uint8Array(sectionCount);
  let base: bigint | undefined;
  for (let root = 0; root * entriesPerRoot < sectionCount; root++) {
    const rootAddress = kernel.memory.u64(roots + BigInt(root * 8));
    if (rootAddress === undefined) {
      throw new Inconsistency('the array of memory sections is not mapped');
    }
    if (rootAddress === 0n) {
      continue;
    }
    const entries = kernel.memory.bytes(rootAddress, pageSizeBytes);
    if (entries === undefined) {
      throw new Inconsistency(`the root of memory sections ${root} is not mapped`);
    }
    for (let index = 0; index < entriesPerRoot; index++) {
      const section = root * entriesPerRoot + index;
      const map = entries.readBigUInt64LE(index * entryBytes + mapOffset);
      if (
        section >= sectionCount ||
        (map & sectionHasMemmap) === 0n ||
        (map & sectionOnline) === 0n
      ) {
        continue;
      }
      const sectionBase = map & ~sectionFlagMask;
      base ??= sectionBase;
      if (sectionBase !== base) {
        throw new Inconsistency(
          `memory section ${section} puts the memmap at 0x${sectionBase.toString(16)}, those before at 0x${base.toString(16)}`,
        );
      }
      online[section] = 1;
    }
  }
  return { online, base: expect(base, 'any memory section') };
}

/** Pages of the memmap kept: neighbours on a list are often neighbours in memory. 4 MiB. */
const keptPageLimit = 1024;
const readsPerPage = 2;
const readsBesides = 65_536;

/** Reads of a few bytes inside single struct pages, for list walks: keeps the pages of the memmap that it met. */
export class MemmapLookup {
  readonly #kernel: Kernel;
  readonly #memmap: Memmap;
  readonly #endPfn: Pfn;
  readonly #pages = new Map<number, Buffer | undefined>();
  /** Reads left. No page is on two lists, so walks of all lists read each struct page once; forged ones, again and again. */
  #left: number;

  constructor(kernel: Kernel, memmap: Memmap) {
    this.#kernel = kernel;
    this.#memmap = memmap;
    this.#endPfn = endPfn(kernel.physical.regions);
    this.#left = readsPerPage * endPfn(kernel.physical.regions) + readsBesides;
  }

  /** Bytes `offsetBytes ..` of the frame's struct page; false when they are not mapped or cross a page's end. */
  read(pfn: Pfn, offsetBytes: number, target: Uint8Array): boolean {
    if (--this.#left < 0) {
      return false;
    }
    const at = pfn * this.#memmap.structPageBytes + offsetBytes;
    const number = Math.floor(at / pageSizeBytes);
    const within = at % pageSizeBytes;
    const page = this.#page(number);
    if (page === undefined || within + target.length > pageSizeBytes) {
      return false;
    }
    page.copy(target, 0, within, within + target.length);
    return true;
  }

  #page(number: number): Buffer | undefined {
    const known = this.#pages.get(number);
    if (known !== undefined || this.#pages.has(number)) {
      return known;
    }
    if (this.#pages.size >= keptPageLimit) {
      this.#pages.clear();
    }
    const address = this.#memmap.base + BigInt(number * pageSizeBytes);
    const page = this.#kernel.memory.bytes(address, pageSizeBytes);
    this.#pages.set(number, page);
    return page;
  }

  /** The frame whose struct page has `address` at `offsetBytes`; undefined when it points elsewhere. */
  pfnOf(address: bigint, offsetBytes: number): Pfn | undefined {
    const at = Number(address - this.#memmap.base) - offsetBytes;
    const pfn = at / this.#memmap.structPageBytes;
    return Number.isInteger(pfn) && pfn >= 0 && pfn < this.#endPfn ? pfn : undefined;
  }
}
