// What was found of a kernel and where, for `pars kernel`: so that a person can hold it against what the guest itself
// says (`/proc/iomem`, `/proc/zoneinfo`, `/proc/kallsyms`). Nothing here bears on a label.
import { Btf } from '../kernel/btf/btf.js';
import type { Kernel, KernelSymbol } from '../kernel/kernel.js';
import type { KernelTypes } from '../kernel/kernel-types.js';
import type { Introspected } from '../label/find-kernel.js';
import { endPfn, type Gpa, pageIndexOf, pageSizeBytes } from '../memory/physical-memory.js';
import { openMemmap } from '../mm/memmap.js';
import { possibleCpus } from '../mm/per-cpu.js';
import {
  describeNodes,
  describeZones,
  type NodeSpan,
  type ZoneSpan,
} from '../mm/zones/zone-spans.js';

export interface Place {
  readonly gpa: Gpa;
  /** Position in the image, in bytes; for a raw file that is the position in the file. */
  readonly imageOffset: number;
}

export interface CpuDescription {
  readonly number: number;
  readonly online: boolean;
  readonly offset: bigint;
}

/** A member is undefined where the kernel does not say. */
export interface KernelDescription {
  readonly release: string;
  readonly buildId: string;
  readonly vmcoreinfo: Place | undefined;
  readonly physicalBase: bigint | undefined;
  readonly kaslrOffset: bigint | undefined;
  readonly pageTableRoot: Gpa;
  readonly pagingLevels: number;
  readonly text: {
    readonly start: bigint | undefined;
    readonly end: bigint | undefined;
    readonly gpa: Gpa | undefined;
  };
  readonly directMapBase: bigint | undefined;
  readonly vmallocBase: bigint | undefined;
  readonly vmemmapBase: bigint | undefined;
  readonly kallsyms: {
    /** VMCOREINFO names the tables since 6.0. */
    readonly source: 'vmcoreinfo' | 'scan';
    readonly names: bigint;
    readonly symbolCount: number;
  };
  readonly btf: {
    readonly address: bigint | undefined;
    readonly sizeBytes: number | undefined;
    /** 0 without BTF. */
    readonly typeCount: number;
  };
  readonly memmap: {
    /** The address of frame 0's struct page, as the memory sections state it. */
    readonly base: bigint;
    readonly structPageBytes: number;
    readonly sectionBytes: number;
    /** How many of the sections that the image reaches into are online. */
    readonly onlineSectionCount: number;
    readonly sectionCount: number;
  };
  readonly nodes: readonly NodeSpan[];
  readonly zones: readonly ZoneSpan[];
  readonly cpus: readonly CpuDescription[];
}

/** Throws Inconsistency where the kernel's structures do not add up. */
export function describeKernel({
  kernel,
  zones,
}: Extract<Introspected, { found: true }>): KernelDescription {
  const { vmcoreinfo, memory, physical, btf } = kernel;
  const valueOf = (name: KernelSymbol): bigint | undefined => {
    const address = kernel.symbol(name);
    return address === undefined ? undefined : memory.u64(address);
  };
  const start = kernel.symbol('_text');
  const btfStart = kernel.symbol('__start_BTF');
  const btfStop = kernel.symbol('__stop_BTF');
  return {
    release: kernel.release,
    buildId: kernel.buildId,
    vmcoreinfo: placeOfVmcoreinfo(kernel, valueOf('vmcoreinfo_data')),
    physicalBase: vmcoreinfo.number('phys_base'),
    kaslrOffset: vmcoreinfo.kernelOffset,
    pageTableRoot: kernel.pageTableRoot,
    pagingLevels: kernel.pagingLevels,
    text: {
      start,
      end: kernel.symbol('_end'),
      gpa: start === undefined ? undefined : memory.translate(start),
    },
    directMapBase: valueOf('page_offset_base'),
    vmallocBase: valueOf('vmalloc_base'),
    vmemmapBase: valueOf('vmemmap_base'),
    kallsyms: {
      source: kernel.kallsyms.source,
      names: kernel.kallsyms.tables.names,
      symbolCount: kernel.kallsyms.symbolCount,
    },
    btf: {
      address: btfStart,
      sizeBytes:
        btfStart === undefined || btfStop === undefined ? undefined : Number(btfStop - btfStart),
      typeCount: typeCountOf(btf),
    },
    memmap: describeMemmap(kernel, endPfn(physical.regions)),
    nodes: describeNodes(kernel),
    zones: describeZones(kernel, zones),
    cpus: describeCpus(kernel),
  };
}

function typeCountOf(types: KernelTypes): number {
  // Type 0 is void, which no record stands for.
  return types instanceof Btf ? types.typeCount - 1 : 0;
}

function placeOfVmcoreinfo(kernel: Kernel, address: bigint | undefined): Place | undefined {
  const gpa = address === undefined ? undefined : kernel.memory.translate(address);
  return gpa === undefined ? undefined : placeOf(kernel, gpa);
}

function placeOf(kernel: Kernel, gpa: Gpa): Place | undefined {
  const page = pageIndexOf(kernel.physical.regions, Math.floor(gpa / pageSizeBytes));
  return page === undefined
    ? undefined
    : { gpa, imageOffset: page * pageSizeBytes + (gpa % pageSizeBytes) };
}

function describeMemmap(kernel: Kernel, end: number): KernelDescription['memmap'] {
  const memmap = openMemmap(kernel, end);
  const sectionCount = Math.ceil(end / memmap.sectionPageCount);
  const online = Array.from({ length: sectionCount }, (_, section) => memmap.isOnline(section));
  return {
    base: memmap.base,
    structPageBytes: memmap.structPageBytes,
    sectionBytes: memmap.sectionPageCount * pageSizeBytes,
    onlineSectionCount: online.filter(Boolean).length,
    sectionCount,
  };
}

function describeCpus(kernel: Kernel): readonly CpuDescription[] {
  const possible = possibleCpus(kernel);
  const mask = kernel.symbol('__cpu_online_mask');
  const highest = Math.max(...possible.map(({ number }) => number));
  const bits = mask === undefined ? undefined : kernel.memory.bytes(mask, (highest >> 3) + 1);
  return possible.map(({ number, offset }) => ({
    number,
    online: bits !== undefined && (bits[number >> 3] & (1 << (number & 7))) !== 0,
    offset,
  }));
}
