// Whether a page with VMCOREINFO is the kernel's own. Any program may write such a text into a page of its own, with the
// real kernel's page tables in it and made-up places for the rest. The kernel's symbol table, which lies in its image,
// says where the kernel keeps the text (`vmcoreinfo_data`, kernel/vmcore_info.c), and what most of its lines must be.
import { type Gpa } from '../memory/physical-memory.js';
import type { AddressRange, SymbolAddresses } from './kallsyms/decode.js';
import type { VirtualMemory } from './virtual-memory.js';
import type { Vmcoreinfo } from './vmcoreinfo.js';

/** Lines that state the address of a symbol, and what kallsyms calls it. */
const statedAddresses: readonly (readonly [line: string, symbol: string])[] = [
  ['swapper_pg_dir', 'init_top_pgt'],
  ['init_uts_ns', 'init_uts_ns'],
  ['node_data', 'node_data'],
  ['contig_page_data', 'contig_page_data'],
];

/** Half a sentence. */
export const noDataSymbols =
  'kallsyms names no data (CONFIG_KALLSYMS_ALL), so nothing shows that VMCOREINFO is its own';

/** Whether the bytes lie in the kernel's image as it is linked, from its first byte to its last. */
export function isInKernelImage(
  symbols: SymbolAddresses,
  { address, sizeBytes }: AddressRange,
): boolean {
  const start = symbols.get('_text');
  const end = symbols.get('_end');
  return (
    start !== undefined &&
    end !== undefined &&
    address >= start &&
    address + BigInt(sizeBytes) <= end
  );
}

/** Why the VMCOREINFO at `gpa` is not the one that the kernel keeps; undefined when it is. */
export function doubtOfVmcoreinfo(
  memory: VirtualMemory,
  vmcoreinfo: Vmcoreinfo,
  gpa: Gpa,
  symbols: SymbolAddresses,
): string | undefined {
  const valueOf = (symbol: string): bigint | undefined => {
    const address = symbols.get(symbol);
    return address === undefined ? undefined : memory.u64(address);
  };
  const own = valueOf('vmcoreinfo_data');
  if (own === undefined) {
    return noDataSymbols;
  }
  const ownGpa = memory.translate(own);
  if (ownGpa !== gpa) {
    return (
      `the kernel keeps its VMCOREINFO at ${ownGpa === undefined ? 'an address that is not mapped' : `0x${ownGpa.toString(16)}`}, ` +
      `this one lies at 0x${gpa.toString(16)}`
    );
  }
  const wrong = statedAddresses.find(([line, symbol]) => {
    const stated = vmcoreinfo.symbol(line);
    return stated !== undefined && stated !== symbols.get(symbol);
  });
  if (wrong !== undefined) {
    return `VMCOREINFO states another address of ${wrong[0]} than kallsyms`;
  }
  // For this symbol the line states the variable's value.
  const sections = vmcoreinfo.symbol('mem_section');
  if (sections !== undefined && sections !== valueOf('mem_section')) {
    return 'VMCOREINFO states another place of the memory sections than the kernel';
  }
  const base = vmcoreinfo.number('phys_base');
  if (base === undefined || valueOf('phys_base') !== BigInt.asUintN(64, base)) {
    return 'VMCOREINFO states another phys_base than the kernel';
  }
  return undefined;
}
