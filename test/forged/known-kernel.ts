// What a hostile root user in the guest knows of its kernel: where all structures lie, and which frames are his own.
import { decodeKallsyms } from '../../introspect/kernel/kallsyms/decode.js';
import type { Kernel } from '../../introspect/kernel/kernel.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { nodeAddresses } from '../../introspect/mm/zones/zone.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { type Found, Places } from '../introspect/damage/places.js';
import { ForgedRam } from './forged-ram.js';
import { type CpuState, imageOf, label } from './label.js';

/** Labels of pages of which a process makes any number, with any content. */
const ownLabels: readonly PageLabel[] = ['free', 'anon'];
const wantedSymbols = [
  ...['page_offset_base', 'vmcoreinfo_data', 'node_data', 'mem_section', 'phys_base'],
  ...['init_top_pgt', 'entry_SYSCALL_64', 'init_uts_ns', '_text', '_end', '_stext'],
  ...['__init_begin', '__init_end'],
] as const;
export type ForgerSymbol = (typeof wantedSymbols)[number];

export interface Mapping {
  readonly address: bigint;
  readonly gpa: number;
}

export interface Run {
  readonly pfn: number;
  readonly count: number;
}

export class KnownKernel {
  readonly ram: ForgedRam;
  readonly cpuState: CpuState;
  readonly found: Found;
  readonly kernel: Kernel;
  readonly places: Places;
  /** Labels of the RAM as it is: the truth. */
  readonly truth: Uint8Array;
  /** Frames that these labels were made from. */
  readonly evidence: Uint8Array;
  readonly directMap: bigint;
  readonly vmcoreinfoGpa: number;
  readonly vmcoreinfoText: string;
  /** The memmap's bytes, from frame 0 to the end of RAM. */
  readonly memmap: Buffer;
  readonly node: { readonly address: bigint; readonly sizeBytes: number };
  /** Frames that are the forger's, in runs. */
  readonly ownRuns: readonly Run[];
  /** The forger's frames that a program has mapped, in runs. */
  readonly mappedRuns: readonly Run[];
  readonly #symbols: ReadonlyMap<string, bigint>;
  #evidenceFrames: readonly number[] | undefined;
  #evidenceMappings: readonly Mapping[] | undefined;

  constructor({ ramPath, statePath }: { readonly ramPath: string; readonly statePath: string }) {
    const ram = new ForgedRam(ramPath);
    this.ram = ram;
    this.cpuState = { statePath };
    const found = findKernel(imageOf(ram));
    if (!found.found) {
      throw new Error(found.reason);
    }
    this.found = found;
    this.kernel = found.kernel;
    this.places = new Places(found);
    const { map, evidence } = label(ram);
    if (map.evidence.kind !== 'complete') {
      throw new Error(`expected complete evidence, found ${JSON.stringify(map.evidence)}`);
    }
    this.truth = map.labels;
    this.evidence = evidence;
    // What the kernel was found by is evidence too, but not where it was only searched for.
    const { reads } = ram.noteReads(() => findKernel(imageOf(ram)));
    reads.forEach((wasRead, pfn) => {
      evidence[pfn] |= this.isCritical(pfn) ? wasRead : 0;
    });
    const { offset, sizeBytes } = this.places.vmcoreinfo();
    this.vmcoreinfoGpa = offset;
    this.vmcoreinfoText = ram.bytes.toString('latin1', offset, offset + sizeBytes);
    this.#symbols = symbolsOf(this.kernel);
    this.directMap = this.kernel.memory.u64(this.symbol('page_offset_base')) ?? 0n;
    if (this.kernel.memory.translate(this.directMap + 0x10_0000n) !== 0x10_0000) {
      throw new Error('the direct map is not where the kernel says');
    }
    const { memmap } = this.places;
    this.memmap = Buffer.alloc((ram.sizeBytes / pageSizeBytes) * memmap.structPageBytes);
    memmap.read(0, this.memmap);
    const [address] = nodeAddresses(this.kernel).values();
    this.node = { address, sizeBytes: this.places.sizeOf('pglist_data') };
    this.ownRuns = runsWhere(this.truth, (labelled) =>
      ownLabels.some((name) => labelNumbers[name] === labelled),
    );
    this.mappedRuns = runsWhere(this.truth, (labelled) => labelled === labelNumbers.anon);
  }

  symbol(name: ForgerSymbol): bigint {
    const address = this.#symbols.get(name);
    if (address === undefined) {
      throw new Error(`no symbol ${name}`);
    }
    return address;
  }

  has(name: ForgerSymbol): boolean {
    return this.#symbols.has(name);
  }

  gpaOf(address: bigint): number {
    return this.places.of(address);
  }

  /** The image's pieces behind a run of kernel addresses; `at` counts from its start. */
  piecesOf(address: bigint, sizeBytes: number) {
    let at = 0;
    return this.places.pieces(address, sizeBytes).map((piece) => {
      const placed = { ...piece, at };
      at += piece.sizeBytes;
      return placed;
    });
  }

  get evidenceFrames(): readonly number[] {
    this.#evidenceFrames ??= [...this.evidence.keys()].filter((pfn) => this.evidence[pfn] === 1);
    return this.#evidenceFrames;
  }

  /** All kernel addresses of the frames that labels are made from, but for those by which only text is reached. */
  evidenceMappings(): readonly Mapping[] {
    this.#evidenceMappings ??= mappingsOf(this);
    return this.#evidenceMappings;
  }

  isCritical(pfn: number): boolean {
    return !pageClasses[this.truth[pfn]].expendable;
  }
}

function symbolsOf(kernel: Kernel): ReadonlyMap<string, bigint> {
  const address = kernel.vmcoreinfo.symbol('_stext') ?? 0n;
  const anchor = { name: '_stext', address };
  const result = decodeKallsyms(kernel.memory, kernel.kallsyms.tables, wantedSymbols, anchor);
  if (!result.ok) {
    throw new Error(result.reason);
  }
  return result.symbols;
}

export function runsWhere(labels: Uint8Array, test: (label: number) => boolean): readonly Run[] {
  const runs: Run[] = [];
  for (let pfn = 0; pfn < labels.length;) {
    let end = pfn;
    while (end < labels.length && test(labels[end])) {
      end++;
    }
    if (end > pfn) {
      runs.push({ pfn, count: end - pfn });
    }
    pfn = end + 1;
  }
  return runs;
}

/** Every leaf of the kernel's half that maps a frame of evidence, 4 KiB at a time. */
function mappingsOf({ kernel, ram, evidence }: KnownKernel): readonly Mapping[] {
  const found: Mapping[] = [];
  const enter = (table: number, level: number, base: bigint, first: number): void => {
    for (let index = first; index < 512; index++) {
      const entry = ram.u64(table + index * 8);
      if ((entry & 1n) === 0n) {
        continue;
      }
      const target = Number(entry & 0x000f_ffff_ffff_f000n);
      const address = base | (BigInt(index) << BigInt(12 + 9 * (level - 1)));
      if (level > 1 && !(level <= 3 && (entry & 0x80n) !== 0n)) {
        if (target + pageSizeBytes <= ram.sizeBytes) {
          enter(target, level - 1, address, 0);
        }
        continue;
      }
      const sizeBytes = 2 ** (12 + 9 * (level - 1));
      const start = target - (target % sizeBytes);
      for (
        let offset = 0;
        offset < sizeBytes && start + offset < ram.sizeBytes;
        offset += pageSizeBytes
      ) {
        if (evidence[(start + offset) / pageSizeBytes] === 1) {
          found.push({ address: address + BigInt(offset), gpa: start + offset });
        }
      }
    }
  };
  const top = kernel.pagingLevels === 5 ? 0xff00_0000_0000_0000n : 0xffff_0000_0000_0000n;
  enter(kernel.pageTableRoot, kernel.pagingLevels, top, 256);
  return found;
}
