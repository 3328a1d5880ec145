// Symbols of a guest's kernel that go by another name, as if the kernel did not have them: the last token of each name in
// kallsyms is replaced by another one. (The names' order stays, and no length changes.)
import { tokenCount } from '../../../introspect/kernel/kallsyms/layout.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import type { Patch } from './patched-memory.js';
import type { Places } from './places.js';

/** The most that a name takes, whole. */
const namesBytesPerSymbol = 24;

/** Throws where one of them is not there. */
export function withoutSymbols(places: Places, wanted: readonly string[]): readonly Patch[] {
  const { memory, kallsyms } = places.kernel;
  const { tables, symbolCount } = kallsyms;
  const tokens = readTokens(places);
  const names = readMapped(places, tables.names, symbolCount * namesBytesPerSymbol);
  const left = new Set(wanted);
  const patches: Patch[] = [];
  for (let at = 0, symbol = 0; symbol < symbolCount && left.size > 0; symbol++) {
    let length = names[at++];
    if ((length & 0x80) !== 0) {
      length = (length & 0x7f) | (names[at++] << 7);
    }
    const codes = names.subarray(at, at + length);
    at += length;
    const name = [...codes].map((code) => tokens[code]).join('');
    if (left.delete(name.slice(1))) {
      const last = codes[length - 1];
      const other = tokens.findIndex((text, code) => code !== last && text !== '');
      const offset = places.of(tables.names + BigInt(at - 1));
      patches.push({ offset, bytes: Buffer.from([other]) });
    }
  }
  if (left.size > 0 || memory.u32(tables.numSyms) !== symbolCount) {
    throw new Error(`kallsyms has no ${[...left].join(', ')}`);
  }
  return patches;
}

function readTokens(places: Places): readonly string[] {
  const { tables } = places.kernel.kallsyms;
  const index = readMapped(places, tables.tokenIndex, tokenCount * 2);
  const table = readMapped(places, tables.tokenTable, pageSizeBytes);
  return Array.from({ length: tokenCount }, (_, code) => {
    const start = index.readUInt16LE(code * 2);
    return table.toString('latin1', start, table.indexOf(0, start));
  });
}

function readMapped({ kernel }: Places, address: bigint, sizeBytes: number): Buffer {
  const bytes = kernel.memory.bytes(address, sizeBytes);
  if (bytes === undefined) {
    throw new Error(`0x${address.toString(16)} is not mapped`);
  }
  return bytes;
}
