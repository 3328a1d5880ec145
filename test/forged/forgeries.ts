// The catalogue: ways to lead a reader of the RAM to structures that are not the running kernel's.
//
// A root user in the guest writes into frames of his own and nowhere else (`own frames`). Where the guest's kernel is
// itself hostile it changes its own structures (`own kernel`): then only the guest's own pages may suffer.
import { readTaskMemory } from '../../introspect/kernel/tasks.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import { ForgedTables } from './forged-tables.js';
import { Forger } from './forger.js';
import {
  type Case,
  chosenLie,
  imageAddress,
  place,
  putNodeArray,
  putSections,
  putVmcoreinfo,
  takeForLie,
} from './forgery-parts.js';
import { lieInInitMemory } from './init-memory.js';
import type { KnownKernel } from './known-kernel.js';
import { guises, Lie, targets } from './lie.js';
import { keysOf, pageOf, valueOf, withLines } from './vmcoreinfo-text.js';

export interface ForgeryKind {
  readonly name: string;
  readonly by: 'own frames' | 'own kernel';
  /** Nothing in RAM tells the forged kernel from the running one. */
  readonly isTwin?: boolean;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  readonly forge: (to: Case) => void;
}

export const forgeryKinds: readonly ForgeryKind[] = [
  { name: 'copied VMCOREINFO', by: 'own frames', weight: 1, forge: copiedVmcoreinfo },
  { name: 'VMCOREINFO, a line bent', by: 'own frames', weight: 4, forge: bentLine },
  { name: 'VMCOREINFO, lines of another kernel', by: 'own frames', weight: 1, forge: mixedLines },
  { name: 'memmap and zones', by: 'own frames', weight: 4, forge: lieByLines },
  { name: 'memmap alone', by: 'own frames', weight: 1, forge: memmapAlone },
  { name: 'zones alone', by: 'own frames', weight: 1, forge: zonesAlone },
  { name: 'symbols and types', by: 'own frames', weight: 2, forge: symbolsAndTypes },
  { name: 'page tables, memmap and zones', by: 'own frames', weight: 4, forge: lieByTables },
  { name: 'page tables, a leaf', by: 'own frames', weight: 2, forge: bentLeaf },
  { name: 'page tables elsewhere by phys_base', by: 'own frames', weight: 2, forge: lieByBase },
  { name: "page tables of a program's own", by: 'own frames', weight: 2, forge: lieByProcess },
  { name: 'symbols in freed init memory', by: 'own frames', weight: 2, forge: lieInInitMemory },
  { name: 'a whole kernel image', by: 'own frames', isTwin: true, weight: 2, forge: lieByImage },
  // No twin: the copied kernel says of itself that it lies elsewhere (phys_base).
  { name: 'all evidence copied', by: 'own frames', weight: 2, forge: copiedEvidence },
  { name: "another kernel's evidence", by: 'own frames', weight: 2, forge: foreignEvidence },
  { name: 'own memmap and zones', by: 'own kernel', weight: 3, forge: ownLie },
  { name: 'own VMCOREINFO, a line bent', by: 'own kernel', weight: 1, forge: ownLine },
  { name: 'own structures, bent', by: 'own kernel', weight: 2, forge: ownBends },
  {
    name: 'own lists and inodes, bent',
    by: 'own kernel',
    weight: 2,
    forge: ownListBends,
  },
];

function copiedVmcoreinfo(to: Case): void {
  putVmcoreinfo(to, {});
}

/** A value for a line, of a kind that may pass. */
function bentValue({ forger, known }: Case, key: string): string | bigint | undefined {
  const before = valueOf(known.vmcoreinfoText, key);
  const number = key.startsWith('SYMBOL(')
    ? BigInt(`0x${before}`)
    : /^-?\d+$/.test(before)
      ? BigInt(before)
      : undefined;
  switch (forger.below(7)) {
    case 0:
      return undefined;
    case 1:
      return number === undefined ? `${before}x` : number + BigInt(forger.pick([-1, 1, 8, -8, 64]));
    case 2:
      return number === undefined ? '' : number ^ (1n << BigInt(forger.below(48)));
    case 3:
      return number === undefined
        ? before.slice(1)
        : number + BigInt(forger.pick([-4096, 4096, 1 << 21, -(1 << 21)]));
    case 4:
      return valueOf(known.vmcoreinfoText, forger.pick(keysOf(known.vmcoreinfoText)));
    case 5:
      return forger.address(forger.take() * pageSizeBytes);
    default:
      return number === undefined ? before.repeat(2) : number * 2n;
  }
}

function bentLine(to: Case): void {
  const keys = keysOf(to.known.vmcoreinfoText);
  const count = 1 + to.forger.below(2);
  const chosen = Array.from({ length: count }, () => to.forger.pick(keys));
  putVmcoreinfo(to, Object.fromEntries(chosen.map((key) => [key, bentValue(to, key)])));
}

function mixedLines(to: Case): void {
  const { forger, known, other } = to;
  const keys = keysOf(known.vmcoreinfoText).filter(() => forger.chance(0.1));
  putVmcoreinfo(
    to,
    Object.fromEntries(keys.map((key) => [key, valueOf(other.vmcoreinfoText, key)])),
  );
}

/** The example of the issue: nothing is forged but two lines, and what they lead to. */
function lieByLines(to: Case): void {
  const { forger } = to;
  const { lie } = chosenLie(to);
  const { memmapGpa, nodeGpa } = takeForLie(to, lie);
  if (forger.chance(0.7)) {
    lie.occupy(forger.taken);
  }
  // The pages that CPUs keep back are on lists that begin outside; without them the links would not hold.
  lie.moveTo(forger.address(memmapGpa), forger.address(nodeGpa));
  forger.ram.write(memmapGpa, lie.memmap);
  forger.ram.write(nodeGpa, lie.node);
  putVmcoreinfo(to, {
    'SYMBOL(mem_section)': putSections(to, lie.memmapAddress),
    'SYMBOL(node_data)': putNodeArray(to, lie.nodeAddress),
  });
}

function memmapAlone(to: Case): void {
  const { forger } = to;
  const { lie } = chosenLie(to);
  const { memmapGpa } = takeForLie(to, lie);
  lie.moveTo(forger.address(memmapGpa), lie.nodeAddress);
  forger.ram.write(memmapGpa, lie.memmap);
  putVmcoreinfo(to, { 'SYMBOL(mem_section)': putSections(to, lie.memmapAddress) });
}

function zonesAlone(to: Case): void {
  const { forger } = to;
  const { lie } = chosenLie(to);
  const { nodeGpa } = takeForLie(to, lie);
  forger.ram.write(nodeGpa, lie.node);
  putVmcoreinfo(to, { 'SYMBOL(node_data)': putNodeArray(to, forger.address(nodeGpa)) });
}

/** Symbols or types of the forger's own, reached by the lines that name the tables. */
function symbolsAndTypes(to: Case): void {
  const { forger, known, recipe } = to;
  const { kernel } = known;
  const lines: Record<string, bigint> = {};
  for (const name of ['names', 'offsets', 'token_table', 'token_index', 'num_syms']) {
    const key = `SYMBOL(kallsyms_${name})`;
    const at = kernel.vmcoreinfo.symbol(`kallsyms_${name}`);
    if (at === undefined || forger.chance(0.4)) {
      continue;
    }
    const sizeBytes = name === 'names' || name === 'offsets' ? 1 << 21 : pageSizeBytes;
    const bytes = kernel.memory.bytes(at, sizeBytes) ?? kernel.memory.bytes(at, pageSizeBytes / 8);
    if (bytes !== undefined) {
      const words = 1 + forger.below(4);
      for (let word = 0; word < words && name !== 'num_syms'; word++) {
        const offset = forger.below(bytes.length);
        bytes[offset] = (bytes[offset] + forger.pick([1, 255, 128])) & 255;
      }
      lines[key] = forger.address(forger.put(bytes));
    }
  }
  recipe.push('tables of symbols of its own');
  putVmcoreinfo(to, lines);
}

/** Page tables of its own, in which memmap and node lie where the kernel has them. */
function lieByTables(to: Case): void {
  const { forger, known } = to;
  const tables = new ForgedTables(forger, known.kernel.pagingLevels, known.kernel.pageTableRoot);
  const { lie } = chosenLie(to);
  mapLie(to, tables, lie);
  putVmcoreinfo(to, { 'SYMBOL(swapper_pg_dir)': imageAddress(known, tables.root) });
}

/** Where programs have their memory. */
const programAddress = 0x5555_0000_0000n;

/**
 * The root is the table of a real process, on which a CPU may well be: the kernel's half is true, and the lie is mapped
 * in the half that is the program's to fill.
 */
function lieByProcess(to: Case): void {
  const { known, recipe } = to;
  const { kernel } = known;
  const { lie } = chosenLie(to);
  const forger = new Forger(known, to.forger.below(2 ** 31), known.mappedRuns);
  const root = forger.pick(readTaskMemory(kernel).pageTableRoots);
  const tables = new ForgedTables(forger, kernel.pagingLevels, root, root);
  let address = programAddress + BigInt(forger.below(1 << 20)) * 4096n;
  const mapped = [lie.memmap, lie.node].map((bytes) => {
    const start = address;
    const gpas: number[] = [];
    for (let at = 0; at < bytes.length; at += pageSizeBytes) {
      const gpa = forger.take() * pageSizeBytes;
      tables.map(address, gpa);
      gpas.push(gpa);
      address += 4096n;
    }
    return { bytes, start, gpas };
  });
  if (forger.chance(0.7)) {
    lie.occupy(forger.taken);
  }
  lie.moveTo(mapped[0].start, mapped[1].start);
  for (const { bytes, gpas } of mapped) {
    gpas.forEach((gpa, page) => {
      forger.ram.write(gpa, bytes.subarray(page * pageSizeBytes, (page + 1) * pageSizeBytes));
    });
  }
  recipe.push(`mapped by the process with its tables at 0x${root.toString(16)}`);
  const own = { ...to, forger };
  putVmcoreinfo(own, {
    'SYMBOL(mem_section)': putSections(own, lie.memmapAddress),
    'SYMBOL(node_data)': putNodeArray(own, lie.nodeAddress),
    'SYMBOL(swapper_pg_dir)': imageAddress(known, root),
  });
}

/** Maps copies over the memmap and the node, page by page, wherever there is room. */
function mapLie({ forger, known }: Case, tables: ForgedTables, lie: Lie): void {
  const pages = (address: bigint, sizeBytes: number) => {
    const first = address & ~4095n;
    const end = address + BigInt(sizeBytes);
    const found: { readonly address: bigint; readonly gpa: number }[] = [];
    for (let at = first; at < end; at += 4096n) {
      const gpa = forger.take() * pageSizeBytes;
      const from = known.kernel.memory.translate(at) ?? 0;
      forger.ram.write(gpa, Buffer.from(forger.ram.bytes.subarray(from, from + pageSizeBytes)));
      tables.map(at, gpa);
      found.push({ address: at, gpa });
    }
    return found;
  };
  const memmapPages = pages(lie.memmapAddress, lie.memmap.length);
  const nodePages = pages(lie.nodeAddress, lie.node.length);
  if (forger.chance(0.7)) {
    lie.occupy(forger.taken);
  }
  const write = (
    to: readonly { readonly address: bigint; readonly gpa: number }[],
    start: bigint,
    bytes: Buffer,
  ): void => {
    for (const { address, gpa } of to) {
      const offset = Number(address - start);
      const from = Math.max(0, offset);
      const piece = bytes.subarray(from, Math.min(bytes.length, offset + pageSizeBytes));
      forger.ram.write(gpa + from - offset, piece);
    }
  };
  write(memmapPages, lie.memmapAddress, lie.memmap);
  write(nodePages, lie.nodeAddress, lie.node);
}

/** One page of the kernel's own addresses leads to a page of the forger's. */
function bentLeaf(to: Case): void {
  const { forger, known, recipe } = to;
  const { kernel } = known;
  const tables = new ForgedTables(forger, kernel.pagingLevels, kernel.pageTableRoot);
  const addresses = [
    known.symbol('node_data'),
    known.symbol('mem_section'),
    kernel.vmcoreinfo.symbol('mem_section') ?? 0n,
    known.node.address,
    known.places.memmap.base + BigInt(forger.below(known.memmap.length)),
    ...(['__per_cpu_offset', '__start_BTF', 'nr_cpu_ids', '__cpu_possible_mask'] as const).flatMap(
      (name) => kernel.symbol(name) ?? [],
    ),
    (kernel.symbol('__start_BTF') ?? 0n) + BigInt(forger.below(1 << 21)),
    known.symbol('init_uts_ns'),
  ];
  for (let count = 1 + forger.below(3); count > 0; count--) {
    const address = forger.pick(addresses) & ~4095n;
    const from = kernel.memory.translate(address);
    if (from === undefined) {
      continue;
    }
    const gpa = forger.put(Buffer.from(forger.ram.bytes.subarray(from, from + pageSizeBytes)));
    for (let bends = 1 + forger.below(6); bends > 0; bends--) {
      bendWord(forger, gpa + forger.below(512) * 8, [known.node.address, address]);
    }
    tables.map(address, gpa);
    recipe.push(`0x${address.toString(16)} leads to a bent copy`);
  }
  putVmcoreinfo(to, { 'SYMBOL(swapper_pg_dir)': imageAddress(known, tables.root) });
}

/** As `lieByTables`, but the line of the page tables stays true: the base of the image moves instead. */
function lieByBase(to: Case): void {
  const { forger, known } = to;
  const { kernel } = known;
  const root = kernel.vmcoreinfo.symbol('swapper_pg_dir') ?? 0n;
  const stext = kernel.vmcoreinfo.symbol('_stext') ?? 0n;
  const tables = new ForgedTables(forger, kernel.pagingLevels, kernel.pageTableRoot);
  const physicalBase = BigInt(tables.root) - (root - 0xffff_ffff_8000_0000n);
  tables.map(stext, Number(stext - 0xffff_ffff_8000_0000n + physicalBase));
  changeVariable(to, tables, known.symbol('phys_base'), physicalBase);
  const { lie } = chosenLie(to);
  mapLie(to, tables, lie);
  putVmcoreinfo(to, { 'NUMBER(phys_base)': physicalBase });
}

/** Lets a variable of the kernel have another value under these tables. */
function changeVariable(
  { forger, known }: Case,
  tables: ForgedTables,
  address: bigint,
  value: bigint,
): void {
  const from = (known.kernel.memory.translate(address) ?? 0) & ~4095;
  const gpa = forger.put(Buffer.from(forger.ram.bytes.subarray(from, from + pageSizeBytes)));
  forger.ram.setU64(gpa + Number(address & 4095n), value);
  tables.map(address, gpa);
}

/**
 * The whole image at another place, with page tables, variables and VMCOREINFO that agree: a dead kernel, but that its
 * memmap lies.
 */
function lieByImage(to: Case): void {
  const { forger, known, recipe } = to;
  const { kernel } = known;
  const start = kernel.symbol('_text') ?? 0n;
  const end = kernel.symbol('_end') ?? 0n;
  const pageCount = Number((end - start + 4095n) / 4096n);
  const from = kernel.memory.translate(start) ?? 0;
  const gpa = forger.take(pageCount, 'anywhere', 512) * pageSizeBytes;
  const shift = gpa - from;
  const copy = Buffer.from(forger.ram.bytes.subarray(from, from + pageCount * pageSizeBytes));
  forger.ram.write(gpa, copy);
  recipe.push(`the image copied from 0x${from.toString(16)} to 0x${gpa.toString(16)}`);
  const { lie } = chosenLie(to);
  const tables = new ForgedTables(
    forger,
    kernel.pagingLevels,
    kernel.pageTableRoot,
    kernel.pageTableRoot + shift,
  );
  for (let address = start; address < end; address += 4096n) {
    const mapped = kernel.memory.translate(address);
    if (mapped !== undefined) {
      tables.map(address, mapped + shift);
    }
  }
  const set = (address: bigint, value: bigint): void => {
    forger.ram.setU64((kernel.memory.translate(address) ?? 0) + shift, value);
  };
  const base = (kernel.vmcoreinfo.number('phys_base') ?? 0n) + BigInt(shift);
  const { memmapGpa, nodeGpa } = takeForLie(to, lie);
  const sameAddresses = forger.chance(0.5);
  if (sameAddresses) {
    mapLie(to, tables, lie);
  } else {
    lie.occupy(forger.taken);
    lie.moveTo(forger.address(memmapGpa), forger.address(nodeGpa));
    forger.ram.write(memmapGpa, lie.memmap);
    forger.ram.write(nodeGpa, lie.node);
  }
  const sections = sameAddresses
    ? (kernel.vmcoreinfo.symbol('mem_section') ?? 0n)
    : putSections(to, lie.memmapAddress);
  set(known.symbol('phys_base'), base);
  set(known.symbol('node_data'), lie.nodeAddress);
  set(known.symbol('mem_section'), sections);
  const page = forger.put(
    pageOf(
      withLines(known.vmcoreinfoText, {
        'NUMBER(phys_base)': base,
        'SYMBOL(mem_section)': sections,
      }),
    ),
    place(forger),
  );
  set(known.symbol('vmcoreinfo_data'), forger.address(page));
}

/** Every page that labels are made from, copied to frames of the forger's own, under page tables of his own. */
function copiedEvidence(to: Case): void {
  copyEvidence(to, to.known);
}

/** A dead kernel: another release whose structures lie here. */
function foreignEvidence(to: Case): void {
  copyEvidence(to, to.other);
}

function copyEvidence(to: Case, source: KnownKernel): void {
  const { forger, recipe } = to;
  const { kernel } = source;
  const root = kernel.vmcoreinfo.symbol('swapper_pg_dir') ?? 0n;
  const stext = kernel.vmcoreinfo.symbol('_stext') ?? 0n;
  const tables = new ForgedTables(forger, kernel.pagingLevels, undefined);
  const physicalBase = BigInt(tables.root) - (root - 0xffff_ffff_8000_0000n);
  const copies = new Map<number, number>();
  for (const { address, gpa } of source.evidenceMappings()) {
    let copy = copies.get(gpa);
    if (copy === undefined) {
      copy = forger.put(source.ram.bytes.subarray(gpa, gpa + pageSizeBytes));
      copies.set(gpa, copy);
    }
    tables.map(address, copy);
  }
  const stextGpa = Number(stext - 0xffff_ffff_8000_0000n + physicalBase);
  tables.map(stext, stextGpa);
  recipe.push(`${copies.size} pages of evidence of ${kernel.release} copied`);
  if (forger.chance(0.6)) {
    const lie = new Lie(source);
    const target = forger.pick(targets);
    const guise = forger.pick(guises);
    lie.tell(lie.framesOf(target, forger), guise);
    recipe.push(`a memmap in which ${target} is ${guise}`);
    const write = (start: bigint, bytes: Buffer): void => {
      for (let offset = -Number(start & 4095n); offset < bytes.length; offset += pageSizeBytes) {
        const from = kernel.memory.translate(start + BigInt(offset));
        const copy = from === undefined ? undefined : copies.get(from);
        const skipped = Math.max(0, -offset);
        if (copy !== undefined) {
          forger.ram.write(
            copy + skipped,
            bytes.subarray(offset + skipped, Math.min(bytes.length, offset + pageSizeBytes)),
          );
        }
      }
    };
    write(lie.memmapAddress, lie.memmap);
    write(lie.nodeAddress, lie.node);
  }
  const where = place(forger);
  forger.put(
    pageOf(withLines(source.vmcoreinfoText, { 'NUMBER(phys_base)': physicalBase })),
    where,
  );
}

function ownLie(to: Case): void {
  const { known } = to;
  const { lie } = chosenLie(to);
  writeBack(known, lie.memmapAddress, lie.memmap);
  writeBack(known, lie.nodeAddress, lie.node);
}

/** Over what the kernel has at that address; only pages that differ. */
function writeBack(known: KnownKernel, start: bigint, bytes: Buffer): void {
  for (const { offset, sizeBytes, at } of known.piecesOf(start, bytes.length)) {
    const piece = bytes.subarray(at, at + sizeBytes);
    if (!known.ram.bytes.subarray(offset, offset + sizeBytes).equals(piece)) {
      known.ram.write(offset, piece);
    }
  }
}

function ownLine(to: Case): void {
  const { forger, known, recipe } = to;
  const key = forger.pick(keysOf(known.vmcoreinfoText));
  const value = bentValue(to, key);
  recipe.push(`the kernel's own line ${key} bent`);
  known.ram.write(known.vmcoreinfoGpa, pageOf(withLines(known.vmcoreinfoText, { [key]: value })));
}

/** Words of the kernel's own evidence, bent where they lie. */
function ownBends({ forger, known, recipe }: Case): void {
  const frames = known.evidenceFrames;
  const count = 1 + forger.below(12);
  for (let index = 0; index < count; index++) {
    bendIn(forger, known, forger.pick(frames));
  }
  recipe.push(`${count} words of its evidence bent`);
}

/** Where inodes, mappings, tasks and per-CPU data lie: few beside all the pages of memmap, symbols and types. */
const listLabels: readonly PageLabel[] = ['slab', 'large-kmalloc', 'other', 'reserved'];

/** Bends most words of pages that hold one object of interest beside many others. */
function ownListBends({ forger, known, recipe }: Case): void {
  const frames = known.evidenceFrames.filter((pfn) =>
    listLabels.some((name) => labelNumbers[name] === known.truth[pfn]),
  );
  const chosen = Array.from({ length: 1 + forger.below(3) }, () => forger.pick(frames));
  const count = 1 << forger.below(11);
  for (let index = 0; index < count; index++) {
    bendIn(forger, known, forger.pick(chosen));
  }
  recipe.push(`${count} words bent in frames ${chosen.join(', ')}`);
}

function bendIn(forger: Forger, known: KnownKernel, pfn: number): void {
  const gpa = pfn * pageSizeBytes + forger.below(512) * 8;
  bendWord(forger, gpa, [known.node.address, known.places.memmap.base]);
}

/** Replaces a word by one that may pass for it. */
export function bendWord(forger: Forger, gpa: number, pointers: readonly bigint[]): void {
  const { ram } = forger;
  const before = ram.u64(gpa);
  const after = [
    () => before + BigInt(forger.pick([1, -1, 8, -8, 64, -64, 4096])),
    () => before ^ (1n << BigInt(forger.below(64))),
    () => 0n,
    () => 2n ** 64n - 1n,
    () => ram.u64((gpa & ~4095) + forger.below(512) * 8),
    () => forger.pick(pointers),
    () => forger.address(forger.below(ram.sizeBytes / pageSizeBytes) * pageSizeBytes),
    () => before << 1n,
  ];
  ram.setU64(gpa, forger.pick(after)());
}
