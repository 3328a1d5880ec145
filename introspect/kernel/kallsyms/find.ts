// Finds the symbol tables of a kernel that does not say where they are (VMCOREINFO names them since 6.0).
//
// They lie one after the other in the kernel's read-only data (scripts/kallsyms.c, write_src, to 6.0):
//
//   offsets  relative_base  num_syms  names  markers  token_table  token_index
//
// The way in is the token table: the tokens of the ten digits are the digits themselves. From there each table is found
// by what it must hold, backwards, and the markers prove it: they repeat where every 256th name begins.
import type { VirtualMemory } from '../virtual-memory.js';
import type { KallsymsTables } from './decode.js';
import { symbolCountLimit, tokenCount, tokenTableBytes } from './layout.js';

const digitTokens = Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00', 'latin1');
const firstDigit = 0x30;
/** Every table begins at a multiple of this (`ALGN`, .balign 8). */
const alignmentBytes = 8;
const namesPerMarker = 256;
/** Real images have 25 to 70 MiB from text to data. */
const imageLimitBytes = 256 * 1024 * 1024;
const stepBytes = 1024 * 1024;
/** Bytes unmapped in a row after which the image has ended. */
const gapLimitBytes = 16 * stepBytes;
/** Real images show 10 to 14 runs of digits; one full of them would be looked at for minutes. */
const candidateLimit = 100;
/** Names average 8 to 14 bytes; a table of the largest count must still fit. */
const namesLimitBytes = 64 * 1024 * 1024;
/** Tables of names read in all: a real image has one, and memory made to look like many takes hours. */
const namesReadLimit = 16;

/** Looks upwards from `textAddress`, taking nothing as evidence. Undefined when no table proves itself. */
export function findKallsyms(
  { unrecorded: memory }: VirtualMemory,
  textAddress: bigint,
): KallsymsTables | undefined {
  let candidateCount = 0;
  const namesRead = { count: 0 };
  for (const address of digitTokenHits(memory, textAddress)) {
    if (++candidateCount > candidateLimit) {
      return undefined;
    }
    const tokens = tokenTables(memory, address);
    const tables = tokens === undefined ? undefined : tablesBefore(memory, tokens, namesRead);
    if (tables !== undefined) {
      return tables;
    }
  }
  return undefined;
}

/** Addresses at which the tokens of the digits stand. */
function* digitTokenHits(memory: VirtualMemory, start: bigint): Generator<bigint> {
  const overlapBytes = digitTokens.length - 1;
  const piece = Buffer.alloc(overlapBytes + stepBytes);
  let gapBytes = 0;
  for (let done = 0; done < imageLimitBytes && gapBytes < gapLimitBytes; done += stepBytes) {
    piece.copyWithin(0, stepBytes);
    const at = start + BigInt(done);
    if (memory.read(at, piece.subarray(overlapBytes))) {
      gapBytes = 0;
    } else if (readMappedPages(memory, at, piece.subarray(overlapBytes)) === 0) {
      gapBytes += stepBytes;
    }
    for (
      let hit = piece.indexOf(digitTokens);
      hit >= 0;
      hit = piece.indexOf(digitTokens, hit + 1)
    ) {
      yield at + BigInt(hit - overlapBytes);
    }
  }
}

/** Reads what is mapped, zeroes what is not; gives the bytes read. */
function readMappedPages(memory: VirtualMemory, address: bigint, target: Buffer): number {
  const pageBytes = 4096;
  let readBytes = 0;
  for (let at = 0; at < target.length; at += pageBytes) {
    const page = target.subarray(at, at + pageBytes);
    if (memory.read(address + BigInt(at), page)) {
      readBytes += page.length;
    } else {
      page.fill(0);
    }
  }
  return readBytes;
}

function tokenTables(memory: VirtualMemory, digits: bigint) {
  const bytes = memory.bytes(digits, tokenTableBytes / 2) ?? memory.bytes(digits, 4096);
  if (bytes === undefined) {
    return undefined;
  }
  let end = 0;
  for (let token = firstDigit; token < tokenCount; token++) {
    end = bytes.indexOf(0, end) + 1;
    if (end === 0) {
      return undefined;
    }
  }
  const tokenIndex = alignUp(digits + BigInt(end));
  const index = memory.bytes(tokenIndex, tokenCount * 2);
  if (index?.readUInt16LE(0) !== 0) {
    return undefined;
  }
  for (let token = 1; token < tokenCount; token++) {
    if (index.readUInt16LE(token * 2) <= index.readUInt16LE((token - 1) * 2)) {
      return undefined;
    }
  }
  return { tokenTable: digits - BigInt(index.readUInt16LE(firstDigit * 2)), tokenIndex };
}

function tablesBefore(
  memory: VirtualMemory,
  tokens: { readonly tokenTable: bigint; readonly tokenIndex: bigint },
  namesRead: { count: number },
): KallsymsTables | undefined {
  const markers = markersBefore(memory, tokens.tokenTable);
  if (markers === undefined) {
    return undefined;
  }
  // The last marker is where the last group of names begins, so the names are that long and at most a group longer.
  const lastMarker = markers.values[markers.values.length - 1];
  const groupLimitBytes = namesPerMarker * 128;
  if (lastMarker > namesLimitBytes) {
    return undefined;
  }
  const highest = markers.address - BigInt(lastMarker);
  for (
    let names = highest - (highest % BigInt(alignmentBytes));
    names >= highest - BigInt(groupLimitBytes);
    names -= BigInt(alignmentBytes)
  ) {
    const numSyms = names - BigInt(alignmentBytes);
    const count = memory.u32(numSyms) ?? 0;
    if (
      count <= symbolCountLimit &&
      Math.ceil(count / namesPerMarker) === markers.values.length &&
      namesRead.count++ < namesReadLimit &&
      namesAgree(memory, names, markers)
    ) {
      const relativeBase = numSyms - BigInt(alignmentBytes);
      const offsetsBytes = BigInt(Math.ceil((count * 4) / alignmentBytes) * alignmentBytes);
      return { ...tokens, numSyms, names, relativeBase, offsets: relativeBase - offsetsBytes };
    }
  }
  return undefined;
}

interface Markers {
  readonly address: bigint;
  /** Offset of every 256th name. */
  readonly values: readonly number[];
}

/** Ascending u32 from 0, right before the token table; read backwards until the 0. */
function markersBefore(memory: VirtualMemory, tokenTable: bigint): Markers | undefined {
  const values: number[] = [];
  const limit = symbolCountLimit / namesPerMarker;
  let address = tokenTable - 4n;
  // An odd number of markers is followed by four bytes of padding.
  if (memory.u32(address) === 0) {
    address -= 4n;
  }
  for (; values.length <= limit; address -= 4n) {
    const value = memory.u32(address);
    const next = values[values.length - 1] ?? Infinity;
    if (value === undefined || value >= next) {
      return undefined;
    }
    values.push(value);
    if (value === 0) {
      return values.length > 1 ? { address, values: values.reverse() } : undefined;
    }
  }
  return undefined;
}

/** Whether every 256th name begins where its marker says. */
function namesAgree(memory: VirtualMemory, names: bigint, markers: Markers): boolean {
  const bytes = memory.bytes(names, Number(markers.address - names));
  if (bytes === undefined) {
    return false;
  }
  let at = 0;
  for (const marker of markers.values) {
    if (at !== marker) {
      return false;
    }
    for (let name = 0; name < namesPerMarker && at < bytes.length; name++) {
      at += 1 + bytes[at];
    }
  }
  return true;
}

function alignUp(address: bigint): bigint {
  const step = BigInt(alignmentBytes);
  return ((address + step - 1n) / step) * step;
}
