// A message of protocol buffers as a table of its fields: what a .proto file says, without a library to load. Fields that are
// not in the table are passed over, so a table holds only what is used.
//
//   const token = message('TokenProto', { identifier: required(1, bytes), service: optional(4, string) });
//   type Token = MessageOf<typeof token>;

import type { FieldType } from './field-types.js';
import { WireReader, wireTypes } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

type Label = 'required' | 'optional' | 'repeated';

export interface Field<T, L extends Label> {
  readonly number: number;
  readonly type: FieldType<T>;
  readonly label: L;
  /** The most elements of a repeated field: more are refused. */
  readonly maxCount: number;
}

export type Fields = Readonly<Record<string, Field<unknown, Label>>>;

type KeysOf<F extends Fields, L extends Label> = {
  [Key in keyof F]: F[Key] extends Field<unknown, L> ? Key : never;
}[keyof F];
type TypeOf<F> = F extends Field<infer T, Label> ? T : never;

export type ValuesOf<F extends Fields> = {
  readonly [Key in KeysOf<F, 'required'>]: TypeOf<F[Key]>;
} & {
  readonly [Key in KeysOf<F, 'optional'>]?: TypeOf<F[Key]> | undefined;
} & {
  readonly [Key in KeysOf<F, 'repeated'>]: readonly TypeOf<F[Key]>[];
};

export interface Message<Values> extends FieldType<Values> {
  readonly fields: Fields;
  encode(values: Values): Buffer;
  /** With its length before it, as Hadoop sends most. */
  encodeDelimited(values: Values): Buffer;
  /** Throws `unsupported` for other bytes. `where` opens its message: what is read, and from whom. */
  decode(bytes: Buffer, where: string): Values;
}

export type MessageOf<M> = M extends Message<infer Values> ? Values : never;

export function required<T>(number: number, type: FieldType<T>): Field<T, 'required'> {
  return { number, type, label: 'required', maxCount: 1 };
}

export function optional<T>(number: number, type: FieldType<T>): Field<T, 'optional'> {
  return { number, type, label: 'optional', maxCount: 1 };
}

export function repeated<T>(
  number: number,
  type: FieldType<T>,
  maxCount: number,
): Field<T, 'repeated'> {
  return { number, type, label: 'repeated', maxCount };
}

/** `name` is the one that Hadoop's .proto file gives it. */
export function message<F extends Fields>(name: string, fields: F): Message<ValuesOf<F>> {
  const entries = Object.entries(fields);
  const byNumber = new Map(entries.map(([key, field]) => [field.number, { key, field }]));

  const read = (from: WireReader): ValuesOf<F> => {
    const values: Record<string, unknown> = {};
    for (const [key, { label }] of entries) {
      if (label === 'repeated') {
        values[key] = [];
      }
    }
    while (!from.isAtEnd) {
      const { number, wireType } = from.tag();
      const found = byNumber.get(number);
      if (found === undefined) {
        from.skip(wireType);
        continue;
      }
      const { key, field } = found;
      if (field.label === 'repeated') {
        readElements(from, wireType, `${name}.${key}`, field, values[key] as unknown[]);
      } else {
        expectWireType(from, wireType, `${name}.${key}`, field);
        values[key] = field.type.read(from);
      }
    }
    for (const [key, { label }] of entries) {
      if (label === 'required' && values[key] === undefined) {
        throw from.refusal(`the end after ${name}.${key}, found the end without it`);
      }
    }
    return values as ValuesOf<F>;
  };

  const writeFields = (to: WireWriter, values: ValuesOf<F>): void => {
    const given = values as Readonly<Record<string, unknown>>;
    for (const [key, { number, type, label }] of entries) {
      const value = given[key];
      if (value === undefined) {
        continue;
      }
      for (const element of label === 'repeated' ? (value as readonly unknown[]) : [value]) {
        to.tag(number, type.wireType);
        type.write(to, element);
      }
    }
  };
  const encode = (values: ValuesOf<F>): Buffer => {
    const to = new WireWriter();
    writeFields(to, values);
    return to.finish();
  };
  const write = (to: WireWriter, values: ValuesOf<F>): void => {
    to.bytes(encode(values));
  };
  return {
    name,
    fields,
    wireType: wireTypes.lengthDelimited,
    read: (from) => read(from.nested()),
    write,
    encode,
    encodeDelimited: (values) => {
      const to = new WireWriter();
      write(to, values);
      return to.finish();
    },
    decode: (bytes, where) => read(new WireReader(bytes, where)),
  };
}

/** One element, or several in one piece, as `packed` has them for numbers. */
function readElements(
  from: WireReader,
  wireType: number,
  where: string,
  field: Field<unknown, Label>,
  elements: unknown[],
): void {
  const { type, maxCount } = field;
  const isPacked =
    wireType === wireTypes.lengthDelimited && type.wireType !== wireTypes.lengthDelimited;
  if (!isPacked) {
    expectWireType(from, wireType, where, field);
  }
  const source = isPacked ? from.nested() : from;
  do {
    if (isPacked && source.isAtEnd) {
      return;
    }
    if (elements.length >= maxCount) {
      throw from.refusal(`at most ${maxCount} of ${where}`);
    }
    elements.push(type.read(source));
  } while (isPacked);
}

function expectWireType(
  from: WireReader,
  found: number,
  where: string,
  { type }: Field<unknown, Label>,
): void {
  if (found !== type.wireType) {
    throw from.refusal(`${where} with the wire type ${type.wireType}, found ${found}`);
  }
}
