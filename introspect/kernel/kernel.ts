// Finds the Linux kernel in raw RAM and ties its parts together: addresses by kallsyms, types by BTF, memory by its
// own page tables. Needs nothing but the bytes.
//
//   VMCOREINFO ──► page tables ──► kallsyms ──► BTF
//
// Each step proves the one before: the page tables must lead `init_uts_ns` to the release VMCOREINFO states, kallsyms
// must give `_stext` the address VMCOREINFO gives, BTF must decode to its last byte and describe `struct page`. Then the
// kernel must say itself that it keeps its VMCOREINFO in this page (own-vmcoreinfo.ts). Where the CPUs are known, they
// must run on these page tables (cpu-tables.ts).
import type { CpuState } from '../memory/cpu-state.js';
import { type Gpa, pageSizeBytes, type PhysicalMemory } from '../memory/physical-memory.js';
import { ParsError } from '../pars-error.js';
import { disagreementOfTypes } from './agreeing-types.js';
import { decodeBtf } from './btf/decode.js';
import { btfLimitBytes } from './btf/layout.js';
import { tablesOfCpus } from './cpu-tables.js';
import { EvidencePages } from './evidence-pages.js';
import { decodeKallsyms, type KallsymsTables, type SymbolAddresses } from './kallsyms/decode.js';
import { findKallsyms } from './kallsyms/find.js';
import type { KernelTypes } from './kernel-types.js';
import { doubtOfVmcoreinfo, isInKernelImage, noDataSymbols } from './own-vmcoreinfo.js';
import { PageTables, type PagingLevels } from './paging.js';
import { statedTypes } from './stated-types.js';
import { VirtualMemory } from './virtual-memory.js';
import type { Vmcoreinfo } from './vmcoreinfo.js';

/** Where the kernel image is linked (__START_KERNEL_map, arch/x86/include/asm/page_64_types.h). */
const kernelImageBase = 0xffff_ffff_8000_0000n;
/** The image lies within the first GiB from there, also under KASLR (KERNEL_IMAGE_SIZE). */
export const kernelImageLimitBytes = 1n << 30n;
/** `new_utsname`: six fields of 65 bytes, the release being the third; unchanged in every kernel. */
const utsFieldBytes = 65;
const utsReleaseField = 2;
/** `uts_namespace.name` stands first, or after a reference count (before 5.11). */
const utsNameOffsets = [0, 4, 8];

/** Half a sentence. */
export const noBtf = 'the kernel carries no BTF (CONFIG_DEBUG_INFO_BTF)';

/** Every symbol that introspection may ask for. Those that a kernel lacks are simply not in the result. */
const wantedSymbols = [
  '_text',
  '_etext',
  '_end',
  'init_top_pgt',
  'init_uts_ns',
  'phys_base',
  'vmcoreinfo_data',
  'node_data',
  'contig_page_data',
  'mem_section',
  'page_offset_base',
  'vmalloc_base',
  'vmemmap_base',
  'real_mode_header',
  'entry_SYSCALL_64',
  '__cpu_online_mask',
  '__start_BTF',
  '__stop_BTF',
  '__per_cpu_offset',
  '__cpu_possible_mask',
  'nr_cpu_ids',
  'init_task',
  'iomem_resource',
  'hstates',
  'hugetlb_max_hstate',
  '_page_poisoning_enabled',
  'want_page_poisoning',
] as const;
export type KernelSymbol = (typeof wantedSymbols)[number];

export interface Kernel {
  readonly release: string;
  readonly buildId: string;
  readonly memory: VirtualMemory;
  readonly physical: PhysicalMemory;
  readonly vmcoreinfo: Vmcoreinfo;
  /** The kernel's types: BTF, or the few that VMCOREINFO states. */
  readonly btf: KernelTypes;
  /** False: only those few are known. */
  readonly hasBtf: boolean;
  /** Physical address of the kernel's top-level page table. */
  readonly pageTableRoot: number;
  readonly pagingLevels: PagingLevels;
  readonly kallsyms: KallsymsPlace;
  symbol(name: KernelSymbol): bigint | undefined;
}

/** Where the symbol tables are, and who says so: VMCOREINFO does since 6.0. */
export interface KallsymsPlace {
  readonly source: 'vmcoreinfo' | 'scan';
  readonly tables: KallsymsTables;
  readonly symbolCount: number;
}

export type KernelResult =
  | { readonly found: true; readonly kernel: Kernel }
  | {
      readonly found: false;
      readonly reason: string;
      /** Highest address that the kernel would have to have and that was not found there. */
      readonly highestMissing?: Gpa | undefined;
      /** What VMCOREINFO leads to is not there: it is made up, or the image lies otherwise in memory. */
      readonly isMisplaced?: boolean;
      /** Whether the kernel's symbols were looked for, which takes up to seconds. */
      readonly wasSearched?: boolean;
    };

/**
 * The kernel that a VMCOREINFO page belongs to, or why it is not believed. `gpa`: where the page lies. `cpus`: all CPUs of
 * the VM, where they are known. Throws only what reading the image throws.
 */
export function kernelBehind(
  physical: PhysicalMemory,
  vmcoreinfo: Vmcoreinfo,
  gpa: Gpa,
  cpus?: readonly CpuState[],
): KernelResult {
  try {
    return proveKernel(physical, vmcoreinfo, gpa, cpus);
  } catch (error) {
    if (error instanceof ParsError) {
      throw error;
    }
    // Not foreseen, but what lies in a guest's RAM must not stop its backup.
    const reason = error instanceof Error ? error.message : String(error);
    return {
      found: false,
      reason: `a defect of pars came up in it (${reason})`,
      wasSearched: true,
    };
  }
}

function proveKernel(
  physical: PhysicalMemory,
  vmcoreinfo: Vmcoreinfo,
  gpa: Gpa,
  cpus: readonly CpuState[] | undefined,
): KernelResult {
  const fail = (reason: string): KernelResult => ({ found: false, reason });
  if (vmcoreinfo.pageSizeBytes !== pageSizeBytes) {
    return fail(
      `expected pages of ${pageSizeBytes} bytes, found ${vmcoreinfo.pageSizeBytes ?? 'none stated'}`,
    );
  }
  const encryptionMask = vmcoreinfo.number('sme_mask') ?? 0n;
  if (encryptionMask !== 0n) {
    return fail("the guest's memory is encrypted (SME/SEV), so nothing in it can be trusted");
  }
  const physicalBase = vmcoreinfo.number('phys_base');
  const rootAddress = vmcoreinfo.symbol('swapper_pg_dir');
  const textAddress = vmcoreinfo.symbol('_stext');
  const utsAddress = vmcoreinfo.symbol('init_uts_ns');
  if (
    physicalBase === undefined ||
    rootAddress === undefined ||
    textAddress === undefined ||
    utsAddress === undefined
  ) {
    return fail(otherArchitecture(vmcoreinfo));
  }
  const outside = [rootAddress, textAddress, utsAddress].find(
    (address) => !isImageAddress(address),
  );
  if (outside !== undefined) {
    return fail(`it has a part of its image at 0x${outside.toString(16)}, where no kernel has it`);
  }
  const toPhysical = (address: bigint): number => Number(address - kernelImageBase + physicalBase);
  const pageTableRoot = toPhysical(rootAddress);
  const pagingLevels = vmcoreinfo.number('pgtable_l5_enabled') === 1n ? 5 : 4;
  const evidence = new EvidencePages(physical.regions);
  const tables = new PageTables(physical, pageTableRoot, pagingLevels, evidence);
  if (tables.translate(textAddress)?.gpa !== toPhysical(textAddress)) {
    return {
      found: false,
      reason: `the page tables at 0x${pageTableRoot.toString(16)} do not map _stext to 0x${toPhysical(textAddress).toString(16)}`,
      highestMissing: pageTableRoot,
      isMisplaced: true,
    };
  }
  const running =
    cpus === undefined ? undefined : tablesOfCpus(physical, pageTableRoot, pagingLevels, cpus);
  if (running?.shared === false) {
    return { found: false, reason: running.reason, highestMissing: running.missing };
  }
  const memory = new VirtualMemory(physical, tables, evidence);
  let wasSearched = false;
  const failReading = (reason: string): KernelResult => ({
    found: false,
    reason,
    highestMissing: memory.highestMissing,
    wasSearched,
  });
  const utsName = utsNameOffsets.find(
    (offset) =>
      memory.string(utsAddress + BigInt(offset + utsReleaseField * utsFieldBytes)) ===
      vmcoreinfo.release,
  );
  if (utsName === undefined) {
    return failReading('init_uts_ns does not hold the same release');
  }
  wasSearched = true;
  const symbols = readSymbols(memory, vmcoreinfo, textAddress);
  if (!symbols.ok) {
    return failReading(symbols.reason);
  }
  const doubt = doubtOfVmcoreinfo(memory, vmcoreinfo, gpa, symbols.symbols);
  if (doubt !== undefined) {
    return failReading(doubt);
  }
  evidence.add(gpa, pageSizeBytes);
  const types = readTypes(memory, symbols.symbols, vmcoreinfo);
  if (!types.ok) {
    return failReading(types.reason);
  }
  return {
    found: true,
    kernel: {
      release: vmcoreinfo.release,
      buildId: vmcoreinfo.buildId,
      memory,
      physical,
      vmcoreinfo,
      btf: types.types,
      hasBtf: types.hasBtf,
      pageTableRoot,
      pagingLevels,
      kallsyms: symbols.place,
      symbol: (name) => symbols.symbols.get(name),
    },
  };
}

function isImageAddress(address: bigint): boolean {
  return address >= kernelImageBase && address < kernelImageBase + kernelImageLimitBytes;
}

/** What VMCOREINFO says of a kernel that lacks the lines every x86-64 kernel has. */
function otherArchitecture(vmcoreinfo: Vmcoreinfo): string {
  const root = vmcoreinfo.symbol('swapper_pg_dir');
  if (vmcoreinfo.number('VA_BITS') !== undefined) {
    return 'an arm64 kernel: only x86-64 kernels are understood';
  }
  return root !== undefined && root < 2n ** 32n
    ? 'a 32-bit kernel: only x86-64 kernels are understood'
    : 'it lacks phys_base, swapper_pg_dir, _stext or init_uts_ns: not an x86-64 kernel, perhaps a big-endian one';
}

function readSymbols(memory: VirtualMemory, vmcoreinfo: Vmcoreinfo, textAddress: bigint) {
  const fail = (reason: string) => ({ ok: false, reason: `kallsyms: ${reason}` }) as const;
  const stated = statedKallsyms(vmcoreinfo);
  const tables = stated ?? findKallsyms(memory, textAddress);
  if (tables === undefined) {
    return fail('neither named in VMCOREINFO nor found in the image');
  }
  const anchor = { name: '_stext', address: textAddress };
  const decoded = decodeKallsyms(memory, tables, wantedSymbols, anchor);
  if (!decoded.ok) {
    return decoded;
  }
  // Where only functions have names, the image's end has none.
  if (decoded.symbols.get('_end') === undefined && !decoded.symbols.has('vmcoreinfo_data')) {
    return { ok: false, reason: noDataSymbols } as const;
  }
  const wrong = (['_text', '_etext', '_end'] as const).find((name) => {
    const address = decoded.symbols.get(name);
    return address === undefined || !isImageAddress(address);
  });
  if (wrong !== undefined) {
    return fail(`${wrong} is not where a kernel's image lies`);
  }
  const outside = decoded.tables.find((range) => !isInKernelImage(decoded.symbols, range));
  if (outside !== undefined) {
    return fail(`a table at 0x${outside.address.toString(16)} is not in the kernel's image`);
  }
  // Parts of the image are given back after boot and become anybody's, but stay mapped; most of them for writing.
  if (!decoded.tables.every(({ address, sizeBytes }) => memory.isReadOnly(address, sizeBytes))) {
    return fail('a table lies where the kernel maps its image for writing (rodata=off?)');
  }
  decoded.tables.forEach(({ address, sizeBytes }) => memory.record(address, sizeBytes));
  const place: KallsymsPlace = {
    source: stated === undefined ? 'scan' : 'vmcoreinfo',
    tables,
    symbolCount: decoded.symbolCount,
  };
  return { ok: true, symbols: decoded.symbols, place } as const;
}

/** Where VMCOREINFO says the tables are, from 6.0 on. */
function statedKallsyms(vmcoreinfo: Vmcoreinfo): KallsymsTables | undefined {
  const numSyms = vmcoreinfo.symbol('kallsyms_num_syms');
  const names = vmcoreinfo.symbol('kallsyms_names');
  const tokenTable = vmcoreinfo.symbol('kallsyms_token_table');
  const tokenIndex = vmcoreinfo.symbol('kallsyms_token_index');
  const offsets = vmcoreinfo.symbol('kallsyms_offsets');
  const relativeBase = vmcoreinfo.symbol('kallsyms_relative_base');
  return numSyms === undefined ||
    names === undefined ||
    tokenTable === undefined ||
    tokenIndex === undefined ||
    offsets === undefined
    ? undefined
    : { numSyms, names, tokenTable, tokenIndex, offsets, relativeBase };
}

function readTypes(memory: VirtualMemory, symbols: SymbolAddresses, vmcoreinfo: Vmcoreinfo) {
  const start = symbols.get('__start_BTF');
  const stop = symbols.get('__stop_BTF');
  if (start === undefined && stop === undefined) {
    const stated = statedTypes(vmcoreinfo);
    return stated.ok
      ? ({ ...stated, hasBtf: false } as const)
      : ({ ok: false, reason: `${noBtf}, and ${stated.reason}` } as const);
  }
  if (start === undefined || stop === undefined) {
    return { ok: false, reason: 'BTF: only one end of it has a symbol' } as const;
  }
  const btf = readBtf(memory, symbols, start, stop - start);
  if (!btf.ok) {
    return btf;
  }
  const disagreement = disagreementOfTypes(vmcoreinfo, btf.btf);
  return disagreement === undefined
    ? ({ ok: true, types: btf.btf, hasBtf: true } as const)
    : ({ ok: false, reason: disagreement } as const);
}

function readBtf(
  memory: VirtualMemory,
  symbols: SymbolAddresses,
  start: bigint,
  sizeBytes: bigint,
) {
  if (sizeBytes <= 0n || sizeBytes > BigInt(btfLimitBytes)) {
    return { ok: false, reason: `BTF: impossible length ${sizeBytes}` } as const;
  }
  if (!isInKernelImage(symbols, { address: start, sizeBytes: Number(sizeBytes) })) {
    return { ok: false, reason: "BTF: it is not in the kernel's image" } as const;
  }
  if (!memory.isReadOnly(start, Number(sizeBytes))) {
    return { ok: false, reason: 'BTF: not mapped, or for writing (rodata=off?)' } as const;
  }
  const blob = memory.bytes(start, Number(sizeBytes));
  if (blob === undefined) {
    return { ok: false, reason: 'BTF: its pages are not mapped' } as const;
  }
  return decodeBtf(blob);
}
