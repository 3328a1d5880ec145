// Finds the Linux kernel in raw RAM and ties its parts together: addresses by kallsyms, types by BTF, memory by its
// own page tables. Needs nothing but the bytes.
//
//   VMCOREINFO ──► page tables ──► kallsyms ──► BTF
//
// Each step proves the one before: the page tables must lead `init_uts_ns` to the release VMCOREINFO states, kallsyms
// must give `_stext` the address VMCOREINFO gives, BTF must decode to its last byte and describe `struct page`.
import { type Gpa, pageSizeBytes, type PhysicalMemory } from '../memory/physical-memory.js';
import type { Btf } from './btf/btf.js';
import { decodeBtf } from './btf/decode.js';
import { btfLimitBytes } from './btf/layout.js';
import { decodeKallsyms, type KallsymsTables, type SymbolAddresses } from './kallsyms/decode.js';
import { findKallsyms } from './kallsyms/find.js';
import { PageTables, type PagingLevels } from './paging.js';
import { VirtualMemory } from './virtual-memory.js';
import type { Vmcoreinfo } from './vmcoreinfo.js';

/** Where the kernel image is linked (__START_KERNEL_map, arch/x86/include/asm/page_64_types.h). */
const kernelImageBase = 0xffff_ffff_8000_0000n;
/** `new_utsname`: six fields of 65 bytes, the release being the third; unchanged in every kernel. */
const utsFieldBytes = 65;
const utsReleaseField = 2;
/** `uts_namespace.name` stands first, or after a reference count (before 5.11). */
const utsNameOffsets = [0, 4, 8];

/** Every symbol that introspection may ask for. Those that a kernel lacks are simply not in the result. */
const wantedSymbols = [
  '_text',
  '_end',
  '__start_BTF',
  '__stop_BTF',
  '__per_cpu_offset',
  '__cpu_possible_mask',
  'nr_cpu_ids',
  'init_task',
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
  readonly btf: Btf;
  /** Physical address of the kernel's top-level page table. */
  readonly pageTableRoot: number;
  readonly pagingLevels: PagingLevels;
  symbol(name: KernelSymbol): bigint | undefined;
}

export type KernelResult =
  | { readonly found: true; readonly kernel: Kernel }
  | {
      readonly found: false;
      readonly reason: string;
      /** Highest address that the kernel would have to have and that was not found there. */
      readonly highestMissing?: Gpa | undefined;
    };

/** The kernel that a VMCOREINFO page belongs to, or why it is not believed. */
export function kernelBehind(physical: PhysicalMemory, vmcoreinfo: Vmcoreinfo): KernelResult {
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
  const toPhysical = (address: bigint): number => Number(address - kernelImageBase + physicalBase);
  const pageTableRoot = toPhysical(rootAddress);
  const pagingLevels = vmcoreinfo.number('pgtable_l5_enabled') === 1n ? 5 : 4;
  const tables = new PageTables(physical, pageTableRoot, pagingLevels);
  if (tables.translate(textAddress)?.gpa !== toPhysical(textAddress)) {
    return {
      found: false,
      reason: `the page tables at 0x${pageTableRoot.toString(16)} do not map _stext to 0x${toPhysical(textAddress).toString(16)}`,
      highestMissing: pageTableRoot,
    };
  }
  const memory = new VirtualMemory(physical, tables);
  const failReading = (reason: string): KernelResult => ({
    found: false,
    reason,
    highestMissing: memory.highestMissing,
  });
  const utsName = utsNameOffsets.find(
    (offset) =>
      memory.string(utsAddress + BigInt(offset + utsReleaseField * utsFieldBytes)) ===
      vmcoreinfo.release,
  );
  if (utsName === undefined) {
    return failReading('init_uts_ns does not hold the same release');
  }
  const symbols = readSymbols(memory, vmcoreinfo, textAddress);
  if (!symbols.ok) {
    return failReading(symbols.reason);
  }
  const btf = readBtf(memory, symbols.symbols);
  if (!btf.ok) {
    return failReading(btf.reason);
  }
  return {
    found: true,
    kernel: {
      release: vmcoreinfo.release,
      buildId: vmcoreinfo.buildId,
      memory,
      physical,
      vmcoreinfo,
      btf: btf.btf,
      pageTableRoot,
      pagingLevels,
      symbol: (name) => symbols.symbols.get(name),
    },
  };
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
  const tables = locateKallsyms(memory, vmcoreinfo, textAddress)?.tables;
  return tables === undefined
    ? ({
        ok: false,
        reason: 'kallsyms: neither named in VMCOREINFO nor found in the image',
      } as const)
    : decodeKallsyms(memory, tables, wantedSymbols, { name: '_stext', address: textAddress });
}

/** Where the symbol tables are, and who says so. Undefined when nobody does and none is found. */
export function locateKallsyms(
  memory: VirtualMemory,
  vmcoreinfo: Vmcoreinfo,
  textAddress: bigint,
): { readonly source: 'vmcoreinfo' | 'scan'; readonly tables: KallsymsTables } | undefined {
  const stated = statedKallsyms(vmcoreinfo);
  if (stated !== undefined) {
    return { source: 'vmcoreinfo', tables: stated };
  }
  const found = findKallsyms(memory, textAddress);
  return found === undefined ? undefined : { source: 'scan', tables: found };
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

function readBtf(memory: VirtualMemory, symbols: SymbolAddresses) {
  const start = symbols.get('__start_BTF');
  const stop = symbols.get('__stop_BTF');
  if (start === undefined || stop === undefined) {
    return { ok: false, reason: 'the kernel carries no BTF (CONFIG_DEBUG_INFO_BTF)' } as const;
  }
  const sizeBytes = stop - start;
  if (sizeBytes <= 0n || sizeBytes > BigInt(btfLimitBytes)) {
    return { ok: false, reason: `BTF: impossible length ${sizeBytes}` } as const;
  }
  const blob = memory.bytes(start, Number(sizeBytes));
  if (blob === undefined) {
    return { ok: false, reason: 'BTF: its pages are not mapped' } as const;
  }
  return decodeBtf(blob);
}
