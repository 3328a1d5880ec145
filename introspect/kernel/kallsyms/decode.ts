// Decodes the symbol table inside a kernel's memory, looking only for the names that are asked for.
//
// Which of the three address forms it is, is settled by a symbol whose address is known otherwise (`_stext`, from
// VMCOREINFO).
import type { VirtualMemory } from '../virtual-memory.js';
import {
  type AddressForm,
  addressForms,
  nameLimitBytes,
  symbolCountLimit,
  tokenCount,
  tokenTableBytes,
} from './layout.js';

/** Where the tables lie, as VMCOREINFO states it since 6.0. */
export interface KallsymsTables {
  readonly numSyms: bigint;
  readonly names: bigint;
  readonly tokenTable: bigint;
  readonly tokenIndex: bigint;
  readonly offsets: bigint;
  /** Absent from 7.0 on. */
  readonly relativeBase: bigint | undefined;
}

export type SymbolAddresses = ReadonlyMap<string, bigint>;

/** Kernel virtual addresses from `address` on. */
export interface AddressRange {
  readonly address: bigint;
  readonly sizeBytes: number;
}

/** `tables`: where all that was read of them lies. */
export type KallsymsResult =
  | {
      readonly ok: true;
      readonly symbols: SymbolAddresses;
      readonly symbolCount: number;
      readonly tables: readonly AddressRange[];
    }
  | { readonly ok: false; readonly reason: string };

/**
 * `anchor` is a symbol whose address is known; it must come out right or nothing is believed. What is read is not taken
 * as evidence here, since the ends of the tables are found by reading beyond them.
 */
export function decodeKallsyms(
  { unrecorded: memory }: VirtualMemory,
  tables: KallsymsTables,
  wanted: readonly string[],
  anchor: { readonly name: string; readonly address: bigint },
): KallsymsResult {
  const fail = (reason: string): KallsymsResult => ({ ok: false, reason: `kallsyms: ${reason}` });
  const symbolCount = memory.u32(tables.numSyms);
  if (symbolCount === undefined || symbolCount === 0 || symbolCount > symbolCountLimit) {
    return fail(`expected 1 to ${symbolCountLimit} symbols, found ${symbolCount ?? 'no memory'}`);
  }
  const tokens = readTokens(memory, tables);
  if (tokens === undefined) {
    return fail('the token table is not readable or not ascending');
  }
  const names = readAsMuchAsMapped(memory, tables.names, symbolCount * 24 + nameLimitBytes);
  const found = findNames(names, tokens.texts, symbolCount, new Set([...wanted, anchor.name]));
  if (found === undefined) {
    return fail(`the names end before symbol ${symbolCount}`);
  }
  const { positions } = found;
  const anchorPosition = positions.get(anchor.name);
  if (anchorPosition === undefined) {
    return fail(`the table does not hold ${anchor.name}`);
  }
  const relativeBase =
    tables.relativeBase === undefined ? undefined : memory.u64(tables.relativeBase);
  const addressOf = (form: AddressForm, position: number): bigint | undefined =>
    symbolAddress(memory, tables.offsets, relativeBase, form, position);
  const form = addressForms.find(
    (candidate) => addressOf(candidate, anchorPosition) === anchor.address,
  );
  if (form === undefined) {
    return fail(
      `no known address form puts ${anchor.name} at 0x${anchor.address.toString(16)}, where VMCOREINFO says it is`,
    );
  }
  const symbols = new Map<string, bigint>();
  for (const [name, position] of positions) {
    const address = addressOf(form, position);
    if (address !== undefined) {
      // Addresses wrap around, as the kernel's own sums do.
      symbols.set(name, BigInt.asUintN(64, address));
    }
  }
  return {
    ok: true,
    symbols,
    symbolCount,
    tables: [
      { address: tables.numSyms, sizeBytes: 4 },
      { address: tables.names, sizeBytes: found.sizeBytes },
      { address: tables.tokenTable, sizeBytes: tokens.sizeBytes },
      { address: tables.tokenIndex, sizeBytes: tokenCount * 2 },
      { address: tables.offsets, sizeBytes: symbolCount * 4 },
      ...(tables.relativeBase === undefined
        ? []
        : [{ address: tables.relativeBase, sizeBytes: 8 }]),
    ],
  };
}

/** The tokens' strings, and the length of the table that holds them. */
function readTokens(
  memory: VirtualMemory,
  tables: KallsymsTables,
): { readonly texts: readonly Buffer[]; readonly sizeBytes: number } | undefined {
  const index = memory.bytes(tables.tokenIndex, tokenCount * 2);
  const table = readAsMuchAsMapped(memory, tables.tokenTable, tokenTableBytes);
  if (index === undefined) {
    return undefined;
  }
  const texts: Buffer[] = [];
  let previous = -1;
  let sizeBytes = 0;
  for (let token = 0; token < tokenCount; token++) {
    const start = index.readUInt16LE(token * 2);
    const end = table.indexOf(0, start);
    if (start <= previous || end < 0) {
      return undefined;
    }
    previous = start;
    sizeBytes = end + 1;
    texts.push(table.subarray(start, end));
  }
  return { texts, sizeBytes };
}

/** Positions of the wanted names, and the length of all names; undefined when the bytes end before the last symbol. */
function findNames(
  names: Buffer,
  tokens: readonly Buffer[],
  symbolCount: number,
  wanted: ReadonlySet<string>,
): { readonly positions: ReadonlyMap<string, number>; readonly sizeBytes: number } | undefined {
  const positions = new Map<string, number>();
  const longest = Math.max(...[...wanted].map((name) => name.length)) + 1;
  // By length, type letter included, and last character: few of a kernel's names share both with a wanted one.
  const candidates = new Uint8Array((longest + 1) * 256);
  for (const name of wanted) {
    candidates[(name.length + 1) * 256 + name.charCodeAt(name.length - 1)] = 1;
  }
  const tokenLengths = Uint16Array.from(tokens, (token) => token.length);
  const lastCharacters = Uint8Array.from(tokens, (token) => token.at(-1) ?? 0);
  const scratch = Buffer.alloc(longest);
  let at = 0;
  for (let position = 0; position < symbolCount; position++) {
    if (at >= names.length) {
      return undefined;
    }
    let length = names[at++];
    if ((length & 0x80) !== 0) {
      // Before 6.1 no name was long enough for this bit to be set.
      length = (length & 0x7f) | (names[at++] << 7);
    }
    if (at + length > names.length) {
      return undefined;
    }
    // Only candidates are spelled out: this loop runs over every symbol of the kernel.
    let decodedLength = 0;
    for (let index = 0; index < length; index++) {
      decodedLength += tokenLengths[names[at + index]];
    }
    const last = length === 0 ? 0 : lastCharacters[names[at + length - 1]];
    if (decodedLength <= longest && candidates[decodedLength * 256 + last] === 1) {
      let to = 0;
      for (let index = 0; index < length; index++) {
        to += tokens[names[at + index]].copy(scratch, to);
      }
      const name = scratch.toString('latin1', 1, decodedLength);
      // A static symbol may bear the same name later; the global one of vmlinux has an upper-case letter.
      if (wanted.has(name) && (!positions.has(name) || isGlobal(scratch[0]))) {
        positions.set(name, position);
      }
    }
    at += length;
  }
  return { positions, sizeBytes: at };
}

function isGlobal(typeLetter: number): boolean {
  return typeLetter >= 0x41 && typeLetter <= 0x5a;
}

function symbolAddress(
  memory: VirtualMemory,
  offsets: bigint,
  relativeBase: bigint | undefined,
  form: AddressForm,
  position: number,
): bigint | undefined {
  const at = offsets + BigInt(position) * 4n;
  const value = memory.u32(at);
  if (value === undefined) {
    return undefined;
  }
  switch (form) {
    case 'percpu': {
      const signed = value | 0;
      return signed >= 0
        ? BigInt(signed)
        : relativeBase === undefined
          ? undefined
          : relativeBase - 1n - BigInt(signed);
    }
    case 'base':
      return relativeBase === undefined ? undefined : relativeBase + BigInt(value);
    case 'place':
      return at + BigInt(value | 0);
  }
}

const pageBytes = 4096;
const largePieceBytes = 256 * 1024;

/** The tables' sizes are not stated: read up to `limitBytes`, or to the page where the mapping ends. */
function readAsMuchAsMapped(memory: VirtualMemory, address: bigint, limitBytes: number): Buffer {
  const target = Buffer.alloc(limitBytes);
  let done = 0;
  for (let pieceBytes = largePieceBytes; done < limitBytes;) {
    const at = address + BigInt(done);
    const length = Math.min(limitBytes - done, pieceBytes - Number(at % BigInt(pieceBytes)));
    if (memory.read(at, target.subarray(done, done + length))) {
      done += length;
    } else if (pieceBytes > pageBytes) {
      pieceBytes = pageBytes;
    } else {
      break;
    }
  }
  return target.subarray(0, done);
}
