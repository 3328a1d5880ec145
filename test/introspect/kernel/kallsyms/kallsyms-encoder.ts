// Lays kallsyms tables into a test's RAM as scripts/kallsyms.c does.
import type { KallsymsTables } from '../../../../introspect/kernel/kallsyms/decode.js';
import type { AddressForm } from '../../../../introspect/kernel/kallsyms/layout.js';
import { VirtualMemory } from '../../../../introspect/kernel/virtual-memory.js';
import { PageTables } from '../../../../introspect/kernel/paging.js';
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

export class KallsymsImage {
  readonly memory: VirtualMemory;
  readonly tables: KallsymsTables;
  /** Length of the names in bytes. */
  readonly namesBytes: number;
  readonly #ram = new Ram(0x8_0000);
  readonly #tokens = Array.from({ length: 256 }, (_, token) =>
    token >= 0x20 && token < 0x7f ? String.fromCharCode(token) : (longTokens[token] ?? ''),
  );

  constructor(symbols: readonly SymbolSpec[], form: AddressForm, relativeBase: bigint) {
    this.tables = { ...tables, relativeBase: form === 'place' ? undefined : tables.relativeBase };
    this.#ram.bytes.writeUInt32LE(symbols.length, ramOf(tables.numSyms));
    this.#ram.bytes.writeBigUInt64LE(relativeBase, ramOf(tables.relativeBase));
    let tokenAt = 0;
    this.#tokens.forEach((token, index) => {
      this.#ram.bytes.writeUInt16LE(tokenAt, ramOf(tables.tokenIndex) + index * 2);
      tokenAt += this.#ram.bytes.write(`${token}\0`, ramOf(tables.tokenTable) + tokenAt, 'latin1');
    });
    const names = Buffer.concat(symbols.map(({ type, name }) => this.#encoded(type + name)));
    names.copy(this.#ram.bytes, ramOf(tables.names));
    this.namesBytes = names.length;
    symbols.forEach(({ address }, position) => {
      const at = tables.offsets + BigInt(position * 4);
      const value =
        form === 'place'
          ? address - at
          : form === 'base'
            ? address - relativeBase
            : address < 0x8000_0000n
              ? address
              : relativeBase - 1n - address;
      this.#ram.bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)), ramOf(at));
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

  /** The longest token that fits, at each place; a length above 127 takes two bytes. */
  #encoded(name: string): Buffer {
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
}
