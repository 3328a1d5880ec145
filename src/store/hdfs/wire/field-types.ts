// The scalar types of Hadoop's messages, each with what it is in TypeScript.
//
// Whole numbers are `number` and refused beyond 2^53, but for those that are only passed on (block ids) or may be anything
// (what a NameNode says of a file): these are `bigint`.

import { type WireReader, type WireType, wireTypes } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** How values of `T` lie on the wire. A message is one too (message.ts). */
export interface FieldType<T> {
  /** As .proto files name it. */
  readonly name: string;
  readonly wireType: WireType;
  read(from: WireReader): T;
  write(to: WireWriter, value: T): void;
}

const maxUint32 = 2 ** 32 - 1;

export const uint32: FieldType<number> = {
  name: 'uint32',
  wireType: wireTypes.varint,
  read: (from) => {
    const value = from.varint();
    if (value <= maxUint32) {
      return value;
    }
    throw from.refusal(`a number of 32 bits, found ${value}`);
  },
  write: (to, value) => {
    to.varint(value);
  },
};

/** A number of a closed list; those that Hadoop adds to it later are read as well. */
export const enumeration: FieldType<number> = { ...uint32, name: 'enum' };

export const uint64: FieldType<number> = {
  name: 'uint64',
  wireType: wireTypes.varint,
  read: (from) => from.varint(),
  write: (to, value) => {
    to.varint(value);
  },
};

/** All of the 64 bits. */
export const anyUint64: FieldType<bigint> = {
  name: 'uint64',
  wireType: wireTypes.varint,
  read: (from) => from.varint64(),
  write: (to, value) => {
    to.varint64(value);
  },
};

export const sint32: FieldType<number> = zigzag('sint32');
export const sint64: FieldType<number> = zigzag('sint64');

export const bool: FieldType<boolean> = {
  name: 'bool',
  wireType: wireTypes.varint,
  read: (from) => from.varint64() !== 0n,
  write: (to, value) => {
    to.varint(value ? 1 : 0);
  },
};

export const sfixed32: FieldType<number> = {
  name: 'sfixed32',
  wireType: wireTypes.fixed32,
  read: (from) => from.fixed32(),
  write: (to, value) => {
    to.fixed32(value);
  },
};

export const sfixed64: FieldType<number> = {
  name: 'sfixed64',
  wireType: wireTypes.fixed64,
  read: (from) => from.fixed64(),
  write: (to, value) => {
    to.fixed64(value);
  },
};

export const string: FieldType<string> = {
  name: 'string',
  wireType: wireTypes.lengthDelimited,
  read: (from) => from.text(),
  write: (to, value) => {
    to.bytes(Buffer.from(value));
  },
};

export const bytes: FieldType<Uint8Array> = {
  name: 'bytes',
  wireType: wireTypes.lengthDelimited,
  read: (from) => from.bytes(),
  write: (to, value) => {
    to.bytes(value);
  },
};

/** Small numbers of either sign in few bytes: 0, -1, 1, -2 are 0, 1, 2, 3. */
function zigzag(name: string): FieldType<number> {
  return {
    name,
    wireType: wireTypes.varint,
    read: (from) => {
      const value = from.varint();
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    },
    write: (to, value) => {
      to.varint(value < 0 ? -2 * value - 1 : 2 * value);
    },
  };
}
