// Lays kallsyms tables into a test's RAM as scripts/kallsyms.c does.
import type { KallsymsTables } from '../../../../introspect/kernel/kallsyms/decode.js';
import type { AddressForm } from '../../../../introspect/kernel/kallsyms/layout.js';
import { PageTables } from '../../../../introspect/kernel/paging.js';
import { VirtualMemory } from '../../../../introspect/kernel/virtual-memory.js';
import { Ram } from '../../ram.js';
import { PageTableBuilder } from '../page-table-builder.js';

export interface SymbolSpec {
  /** As nm(1) prints it. */
  readonly type: string;
  readonly name: string;
  readonly address: bigint;
}

/** Tokens for several characters, as the compressor picks them; the others stand for one character. */
const longTokens = ['_start', 'percpu', 'T_', 'text', '__'];
const tables = {
  numSyms: 0xffff_ffff_8200_0000n,
  relativeBase: 0xffff_ffff_8200_0008n,
  tokenIndex: 0xffff_ffff_8200_0800n,
  tokenTable: 0xffff_ffff_8200_1000n,
  offsets: 0xffff_ffff_8200_2000n,
  /** Last, and with nothing mapped behind. */
  names: 0xffff_ffff_8201_0000n,
};
const ramOf = (address: bigint): number => Number(address & 0xff_ffffn);
const tokens = Array.from({ length: 256 }, (_, token) =>
  token >= 0x20 && token < 0x7f ? String.fromCharCode(token) : (longTokens[token] ?? ''),
);

/** The longest token that fits, at each place; a length above 127 takes two bytes. */
function encodedName(name: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < name.length;) {
    const long = longTokens.findIndex((token) => name.startsWith(token, at));
    bytes.push(long < 0 ? name.charCodeAt(at) : long);
    at += long < 0 ? 1 : longTokens[long].length;
  }
  const length =
    bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.from([...length, ...bytes]);
}

/** Values of the form "percpu": the only one that kernels had which do not state where the tables are. */
function percpuOffset(address: bigint, relativeBase: bigint): number {
  const value = address < 0x8000_0000n ? address : relativeBase - 1n - address;
  return Number(BigInt.asUintN(32, value));
}

export class KallsymsImage {
  readonly memory: VirtualMemory;
  readonly tables: KallsymsTables;
  /** Length of the names in bytes. */
  readonly namesBytes: number;
  readonly #ram = new Ram(0x8_0000);

  constructor(symbols: readonly SymbolSpec[], form: AddressForm, relativeBase: bigint) {
    this.tables = { ...tables, relativeBase: form === 'place' ? undefined : tables.relativeBase };
    this.#ram.bytes.writeUInt32LE(symbols.length, ramOf(tables.numSyms));
    this.#ram.bytes.writeBigUInt64LE(relativeBase, ramOf(tables.relativeBase));
    let tokenAt = 0;
    tokens.forEach((token, index) => {
      this.#ram.bytes.writeUInt16LE(tokenAt, ramOf(tables.tokenIndex) + index * 2);
      tokenAt += this.#ram.bytes.write(`${token}\0`, ramOf(tables.tokenTable) + tokenAt, 'latin1');
    });
    const names = Buffer.concat(symbols.map(({ type, name }) => encodedName(type + name)));
    names.copy(this.#ram.bytes, ramOf(tables.names));
    this.namesBytes = names.length;
    symbols.forEach(({ address }, position) => {
      const at = tables.offsets + BigInt(position * 4);
      const value =
        form === 'percpu'
          ? percpuOffset(address, relativeBase)
          : Number(BigInt.asUintN(32, address - (form === 'place' ? at : relativeBase)));
      this.#ram.bytes.writeUInt32LE(value, ramOf(at));
    });
    const builder = new PageTableBuilder(this.#ram, 4, 0x4_0000);
    for (let at = tables.numSyms; at < tables.names + BigInt(names.length); at += 4096n) {
      builder.map(at, ramOf(at), 1);
    }
    this.memory = new VirtualMemory(this.#ram, new PageTables(this.#ram, builder.root, 4));
  }

  /** Makes the table claim another number of symbols. */
  setSymbolCount(count: number): void {
    this.#ram.bytes.writeUInt32LE(count, ramOf(tables.numSyms));
  }

  setTokenIndex(token: number, start: number): void {
    this.#ram.bytes.writeUInt16LE(start, ramOf(tables.tokenIndex) + token * 2);
  }
}

/** Where an image of `UnstatedKallsyms` begins, and its `_stext`. */
export const imageStart = 0xffff_ffff_8100_0000n;
const unstatedRamBytes = 2 ** 21;
const leafBytes = 2 ** 21;
const namesPerMarker = 256;

/**
 * A kernel image of 2 MiB as before 6.0: tables one after the other, each at a multiple of 8, and nothing that says
 * where. `before` stands in front of them.
 */
export class UnstatedKallsyms {
  readonly memory: VirtualMemory;
  readonly tables: KallsymsTables;
  readonly image: Buffer;
  /** Place of an address in the image. */
  readonly at = (address: bigint): number => Number(address - imageStart);
  /** From the first table's first byte to the last one's end, as addresses. */
  readonly span: { readonly start: bigint; readonly end: bigint };
  readonly markers: bigint;

  constructor(
    symbols: readonly SymbolSpec[],
    { before = Buffer.alloc(0), at = 0x1_0000, fill = 0 } = {},
  ) {
    // The last page of the RAM and those behind it are the page tables.
    const ram = new Ram(unstatedRamBytes + 0x1_0000);
    this.image = ram.bytes.subarray(0, unstatedRamBytes);
    this.image.fill(fill);
    before.copy(this.image, at - before.length);
    let next = at;
    const place = (bytes: Buffer): bigint => {
      const start = Math.ceil(next / 8) * 8;
      this.image.fill(0, next, start);
      next = start + bytes.copy(this.image, start);
      return imageStart + BigInt(start);
    };
    const u32s = (values: readonly number[]): Buffer =>
      Buffer.from(Uint32Array.from(values).buffer);
    const u64 = Buffer.alloc(8);
    u64.writeBigUInt64LE(imageStart);
    const names = symbols.map(({ type, name }) => encodedName(type + name));
    const starts: number[] = [0];
    for (const { length } of names) {
      starts.push(starts[starts.length - 1] + length);
    }
    const offsets = place(u32s(symbols.map(({ address }) => percpuOffset(address, imageStart))));
    const relativeBase = place(u64);
    const numSyms = place(u32s([symbols.length]));
    const namesAt = place(Buffer.concat(names));
    this.markers = place(
      u32s(starts.slice(0, symbols.length).filter((_, index) => index % namesPerMarker === 0)),
    );
    const tokenTable = place(Buffer.from(`${tokens.join('\0')}\0`, 'latin1'));
    const tokenIndex = place(tokenIndexBytes());
    this.tables = { numSyms, names: namesAt, tokenTable, tokenIndex, offsets, relativeBase };
    this.span = { start: offsets, end: imageStart + BigInt(next) };
    this.image.fill(0, next, Math.ceil(next / 8) * 8);
    const builder = new PageTableBuilder(ram, 4, unstatedRamBytes);
    builder.map(imageStart, 0, 2);
    this.memory = new VirtualMemory(ram, new PageTables(ram, builder.root, 4));
  }
}

/** 256 MiB of addresses that all show these 2 MiB of bytes. */
export function repeatedImage(bytes: Buffer): VirtualMemory {
  const ram = new Ram(unstatedRamBytes + 0x1_0000);
  bytes.copy(ram.bytes, 0, 0, unstatedRamBytes);
  const builder = new PageTableBuilder(ram, 4, unstatedRamBytes);
  for (let leaf = 0; leaf < 128; leaf++) {
    builder.map(imageStart + BigInt(leaf * leafBytes), 0, 2);
  }
  return new VirtualMemory(ram, new PageTables(ram, builder.root, 4));
}

function tokenIndexBytes(): Buffer {
  const index = Buffer.alloc(tokens.length * 2);
  let at = 0;
  tokens.forEach((token, position) => {
    index.writeUInt16LE(at, position * 2);
    at += token.length + 1;
  });
  return index;
}
