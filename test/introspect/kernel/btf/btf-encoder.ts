// Writes BTF blobs as pahole does, from include/uapi/linux/btf.h and not from the decoder's own tables.

export interface MemberSpec {
  readonly name: string;
  readonly type: number;
  readonly offsetBits: number;
  /** Makes it a bitfield of a struct with kind_flag. */
  readonly bits?: number;
}

export class BtfEncoder {
  readonly #strings: number[] = [0];
  readonly #records: Buffer[] = [];

  int(name: string, sizeBytes: number): number {
    return this.#add(name, 1, 0, sizeBytes, [(0 << 16) | (sizeBytes * 8)]);
  }

  pointer(to: number): number {
    return this.#add('', 2, 0, to);
  }

  array(element: number, count: number, indexType = 0): number {
    return this.#add('', 3, 0, 0, [element, indexType, count]);
  }

  struct(name: string, sizeBytes: number, members: readonly MemberSpec[]): number {
    return this.#composite(4, name, sizeBytes, members);
  }

  union(name: string, sizeBytes: number, members: readonly MemberSpec[]): number {
    return this.#composite(5, name, sizeBytes, members);
  }

  enumeration(name: string, values: Readonly<Record<string, number>>): number {
    const words = Object.entries(values).flatMap(([key, value]) => [this.#string(key), value]);
    return this.#add(name, 6, words.length / 2, 4, words, true);
  }

  enum64(name: string, values: Readonly<Record<string, bigint>>): number {
    const words = Object.entries(values).flatMap(([key, value]) => [
      this.#string(key),
      Number(value & 0xffff_ffffn),
      Number((value >> 32n) & 0xffff_ffffn),
    ]);
    return this.#add(name, 19, words.length / 3, 8, words);
  }

  forward(name: string): number {
    return this.#add(name, 7, 0, 0);
  }

  typedef(name: string, to: number): number {
    return this.#add(name, 8, 0, to);
  }

  volatile(to: number): number {
    return this.#add('', 9, 0, to);
  }

  const(to: number): number {
    return this.#add('', 10, 0, to);
  }

  restrict(to: number): number {
    return this.#add('', 11, 0, to);
  }

  function(name: string, prototype: number): number {
    return this.#add(name, 12, 1, prototype);
  }

  functionPrototype(result: number, parameters: readonly number[]): number {
    const words = parameters.flatMap((type) => [0, type]);
    return this.#add('', 13, parameters.length, result, words);
  }

  variable(name: string, type: number): number {
    return this.#add(name, 14, 0, type, [1]);
  }

  dataSection(name: string, variables: readonly number[]): number {
    const words = variables.flatMap((type, index) => [type, index * 8, 8]);
    return this.#add(name, 15, variables.length, variables.length * 8, words);
  }

  float(name: string, sizeBytes: number): number {
    return this.#add(name, 16, 0, sizeBytes);
  }

  declarationTag(name: string, on: number): number {
    return this.#add(name, 17, 0, on, [0xffff_ffff]);
  }

  typeTag(name: string, to: number): number {
    return this.#add(name, 18, 0, to);
  }

  /** A kind no release has. */
  unknownKind(): number {
    return this.#add('', 77, 0, 0);
  }

  /** Where type `id` begins, from the start of a blob with a header of `headerBytes`. */
  offsetOf(id: number, headerBytes = 24): number {
    return this.#records.slice(0, id - 1).reduce((sum, { length }) => sum + length, headerBytes);
  }

  /** Makes the 12-byte record's last word of `id` name another type: for cycles. */
  retarget(id: number, to: number): void {
    this.#records[id - 1].writeUInt32LE(to, 8);
  }

  encode(headerBytes = 24): Buffer {
    const types = Buffer.concat(this.#records);
    const strings = Buffer.from(this.#strings);
    const header = Buffer.alloc(headerBytes);
    header.writeUInt16LE(0xeb9f, 0);
    header[2] = 1;
    header.writeUInt32LE(headerBytes, 4);
    header.writeUInt32LE(0, 8);
    header.writeUInt32LE(types.length, 12);
    header.writeUInt32LE(types.length, 16);
    header.writeUInt32LE(strings.length, 20);
    return Buffer.concat([header, types, strings]);
  }

  #composite(
    kind: number,
    name: string,
    sizeBytes: number,
    members: readonly MemberSpec[],
  ): number {
    const kindFlag = members.some(({ bits }) => bits !== undefined);
    const words = members.flatMap((member) => [
      this.#string(member.name),
      member.type,
      (kindFlag ? (member.bits ?? 0) << 24 : 0) | member.offsetBits,
    ]);
    return this.#add(name, kind, members.length, sizeBytes, words, kindFlag);
  }

  #add(
    name: string,
    kind: number,
    vlen: number,
    sizeOrType: number,
    payload: readonly number[] = [],
    kindFlag = false,
  ): number {
    const info = (kindFlag ? 0x8000_0000 : 0) | (kind << 24) | vlen;
    const words = [this.#string(name), info, sizeOrType, ...payload];
    this.#records.push(Buffer.from(Uint32Array.from(words).buffer));
    return this.#records.length;
  }

  #string(text: string): number {
    if (text === '') {
      return 0;
    }
    const at = this.#strings.length;
    this.#strings.push(...Buffer.from(text, 'latin1'), 0);
    return at;
  }
}
