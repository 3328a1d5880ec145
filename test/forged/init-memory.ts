// Symbols in memory that is the kernel image's by its addresses and a program's by its owner: the kernel frees its
// initialisation code and data at the end of boot and, without page-table isolation, keeps them mapped for writing where
// they were (free_kernel_image_pages, arch/x86/mm/init.c).
import { decodeKallsyms } from '../../introspect/kernel/kallsyms/decode.js';
import { type AddressForm, addressForms } from '../../introspect/kernel/kallsyms/layout.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { NoRoom } from './forger.js';
import {
  type Case,
  chosenLie,
  place,
  putNodeArray,
  putSections,
  takeForLie,
} from './forgery-parts.js';
import type { KnownKernel } from './known-kernel.js';
import { pageOf, withLines } from './vmcoreinfo-text.js';

const wordBytes = 8;
const offsetBytes = 4;

/** VMCOREINFO, memmap and zones of the forger's own, and a table of symbols that bears them out. */
export function lieInInitMemory(to: Case): void {
  const { forger, known, recipe } = to;
  const offsets = offsetsOf(known);
  const room = new InitMemory(known, offsets.bytes.length + 4 * pageSizeBytes);
  const { lie } = chosenLie(to);
  const { memmapGpa, nodeGpa } = takeForLie(to, lie);
  lie.occupy(forger.taken);
  lie.moveTo(forger.address(memmapGpa), forger.address(nodeGpa));
  forger.ram.write(memmapGpa, lie.memmap);
  forger.ram.write(nodeGpa, lie.node);
  const nodeArray = putNodeArray(to, lie.nodeAddress);
  const sections = putSections(to, lie.memmapAddress);
  const table = room.take(offsets.bytes.length);
  const variables = {
    node_data: room.take(wordBytes),
    mem_section: room.take(wordBytes),
    vmcoreinfo_data: room.take(wordBytes),
  };
  const lines = {
    'SYMBOL(kallsyms_offsets)': table,
    'SYMBOL(node_data)': forger.chance(0.5) ? nodeArray : variables.node_data,
    'SYMBOL(mem_section)': sections,
  };
  const page = forger.put(pageOf(withLines(known.vmcoreinfoText, lines)), place(forger));
  room.setU64(variables.node_data, lie.nodeAddress);
  room.setU64(variables.mem_section, sections);
  room.setU64(variables.vmcoreinfo_data, forger.address(page));
  room.write(table, offsets.leadingTo(table, variables));
  recipe.push(
    `VMCOREINFO at 0x${page.toString(16)}, and offsets of symbols at 0x${table.toString(16)}, in init memory`,
  );
}

/** The kernel's own table of where its symbols are, to be put elsewhere with some of them changed. */
interface Offsets {
  readonly bytes: Buffer;
  readonly leadingTo: (
    table: bigint,
    changed: Readonly<Partial<Record<'node_data' | 'mem_section' | 'vmcoreinfo_data', bigint>>>,
  ) => Buffer;
}

function offsetsOf(known: KnownKernel): Offsets {
  const { kernel } = known;
  const anchor = { name: '_stext', address: kernel.vmcoreinfo.symbol('_stext') ?? 0n };
  const { tables } = kernel.kallsyms;
  const decoded = decodeKallsyms(kernel.memory, tables, [], anchor);
  const bytes = decoded.ok
    ? kernel.memory.bytes(tables.offsets, decoded.symbolCount * offsetBytes)
    : undefined;
  const base = tables.relativeBase === undefined ? 0n : kernel.memory.u64(tables.relativeBase);
  if (bytes === undefined || base === undefined) {
    throw new NoRoom('a table of symbols that cannot be read');
  }
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / offsetBytes);
  const word = (form: AddressForm, at: bigint, address: bigint): number => {
    switch (form) {
      case 'percpu':
        return Number(BigInt.asIntN(32, base - 1n - address));
      case 'base':
        return Number(BigInt.asIntN(32, address - base));
      case 'place':
        return Number(BigInt.asIntN(32, address - at));
    }
  };
  const positionOf = (form: AddressForm, address: bigint): number =>
    form === 'place'
      ? words.findIndex(
          (value, index) => tables.offsets + BigInt(index * offsetBytes + value) === address,
        )
      : words.indexOf(word(form, 0n, address));
  const form = addressForms.find((candidate) => positionOf(candidate, anchor.address) >= 0);
  if (form === undefined) {
    throw new NoRoom('a table of symbols of no known form');
  }
  return {
    bytes,
    leadingTo: (table, changed) => {
      const moved = Int32Array.from(words);
      if (form === 'place') {
        moved.forEach((value, index) => (moved[index] = value + Number(tables.offsets - table)));
      }
      for (const name of ['node_data', 'mem_section', 'vmcoreinfo_data'] as const) {
        const position = positionOf(form, known.symbol(name));
        const address = changed[name];
        if (position >= 0 && address !== undefined) {
          moved[position] = word(form, table + BigInt(position * offsetBytes), address);
        }
      }
      return Buffer.from(moved.buffer);
    },
  };
}

/** Addresses of the image's that lead to frames which a program may have got since, taken one after the other. */
class InitMemory {
  readonly #known: KnownKernel;
  #next: bigint;

  constructor(known: KnownKernel, wantedBytes: number) {
    this.#known = known;
    const isOwn = (address: bigint): boolean => {
      const gpa = known.kernel.memory.translate(address);
      const label = gpa === undefined ? undefined : known.truth[Math.floor(gpa / pageSizeBytes)];
      return label === labelNumbers.free || label === labelNumbers.anon;
    };
    const end = known.symbol('__init_end');
    let start = known.symbol('__init_begin');
    for (
      let at = start;
      at < end && at - start < BigInt(wantedBytes);
      at += BigInt(pageSizeBytes)
    ) {
      start = isOwn(at) ? start : at + BigInt(pageSizeBytes);
    }
    if (end - start < BigInt(wantedBytes)) {
      throw new NoRoom(`${wantedBytes} bytes of init memory`);
    }
    this.#next = start;
  }

  take(sizeBytes: number): bigint {
    const start = this.#next;
    this.#next += BigInt(Math.ceil(sizeBytes / wordBytes) * wordBytes);
    return start;
  }

  write(address: bigint, bytes: Uint8Array): void {
    for (const { offset, sizeBytes, at } of this.#known.piecesOf(address, bytes.length)) {
      this.#known.ram.write(offset, bytes.subarray(at, at + sizeBytes));
    }
  }

  setU64(address: bigint, value: bigint): void {
    this.#known.ram.setU64(this.#known.kernel.memory.translate(address) ?? 0, value);
  }
}
