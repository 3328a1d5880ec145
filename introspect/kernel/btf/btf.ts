// Answers questions about a kernel's types: where a member lies, what an enum's names are worth.
//
// Members of anonymous structs and unions are found by their own name, as in C. What is not there is `undefined`: a
// caller tries the newest layout first and falls back on absence, never on a version number.
import { kindFlagOf, kindOf, kinds, typeRecordBytes, vlenOf } from './layout.js';

export interface MemberLayout {
  /** From the start of the outermost struct asked for. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Elements when the member is an array (flattened), else 1. */
  readonly count: number;
}

export class StructLayout {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #btf: Btf;
  readonly #id: number;

  constructor(btf: Btf, name: string, id: number, sizeBytes: number) {
    this.#btf = btf;
    this.name = name;
    this.#id = id;
    this.sizeBytes = sizeBytes;
  }

  /** Layout of a member by its path, such as `flags` or `lru.next`; the first path that exists wins. */
  member(...paths: readonly string[]): MemberLayout | undefined {
    for (const path of paths) {
      const found = this.#btf.memberLayout(this.#id, path.split('.'));
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }
}

interface Member {
  readonly type: number;
  readonly offsetBytes: number;
}

/** Typedefs and qualifiers in a row, and anonymous nesting, stay below this in any sane blob. */
const depthLimit = 32;
/** The largest, pglist_data, takes less than 1 MiB. */
const structLimitBytes = 16 * 1024 * 1024;
/** No name that is asked for is longer. */
const nameLimitBytes = 64;
/** The largest enum that is asked for has some hundred names. */
const enumeratorLimit = 4096;
/** Members looked at in all. All that is asked for takes some ten thousand; types made to be searched for ever have more. */
const memberLimit = 4_000_000;

export class Btf {
  readonly #types: Buffer;
  readonly #strings: Buffer;
  readonly #offsets: Uint32Array;
  #named: ReadonlyMap<string, number> | undefined;
  /** What was found before: some are asked for once per file. */
  readonly #layouts = new Map<string, MemberLayout | undefined>();
  #memberCount = 0;

  /** `offsets[id]` is where type `id` begins in `types`; made by decode.ts, which has checked all records' bounds. */
  constructor(types: Buffer, strings: Buffer, offsets: Uint32Array) {
    this.#types = types;
    this.#strings = strings;
    this.#offsets = offsets;
  }

  get typeCount(): number {
    return this.#offsets.length;
  }

  struct(name: string): StructLayout | undefined {
    const id = this.#find(name, 'struct');
    const sizeBytes = id === undefined ? 0 : this.#sizeOf(id, 0);
    return id === undefined || sizeBytes > structLimitBytes
      ? undefined
      : new StructLayout(this, name, id, sizeBytes);
  }

  /** Names to values (values of 64 bits that do not fit 53 are left out). */
  enumeration(name: string): ReadonlyMap<string, number> | undefined {
    const id = this.#find(name, 'enum');
    if (id === undefined || vlenOf(this.#info(id)) > enumeratorLimit) {
      return undefined;
    }
    const at = this.#offsets[id];
    const info = this.#info(id);
    const values = new Map<string, number>();
    for (let index = 0; index < vlenOf(info); index++) {
      if (kindOf(info) === kinds.enum) {
        const record = at + typeRecordBytes + index * 8;
        values.set(
          this.#string(this.#types.readUInt32LE(record)),
          this.#types.readInt32LE(record + 4),
        );
      } else {
        const record = at + typeRecordBytes + index * 12;
        const value =
          this.#types.readUInt32LE(record + 4) + this.#types.readUInt32LE(record + 8) * 2 ** 32;
        if (Number.isSafeInteger(value)) {
          values.set(this.#string(this.#types.readUInt32LE(record)), value);
        }
      }
    }
    return values;
  }

  /** For StructLayout. */
  memberLayout(structId: number, path: readonly string[]): MemberLayout | undefined {
    const key = `${structId} ${path.join('.')}`;
    if (!this.#layouts.has(key)) {
      this.#layouts.set(key, this.#findMember(structId, path));
    }
    return this.#layouts.get(key);
  }

  #findMember(structId: number, path: readonly string[]): MemberLayout | undefined {
    let id = structId;
    let offsetBytes = 0;
    for (const name of path) {
      const found = this.#member(this.#resolve(id), name, new Set(), 0);
      if (found === undefined) {
        return undefined;
      }
      offsetBytes += found.offsetBytes;
      id = found.type;
    }
    const sizeBytes = this.#sizeOf(id, 0);
    // Callers read the struct's bytes and then its members from them.
    const inside = offsetBytes + sizeBytes <= this.#sizeOf(structId, 0);
    return inside && Number.isInteger(offsetBytes)
      ? { offsetBytes, sizeBytes, count: this.#elementCount(id) }
      : undefined;
  }

  /** `searched`: structs in which the name was not found; each is searched once, so nesting in a damaged blob ends. */
  #member(id: number, name: string, searched: Set<number>, depth: number): Member | undefined {
    if (id === 0 || searched.has(id) || depth > depthLimit) {
      return undefined;
    }
    searched.add(id);
    const info = this.#info(id);
    const kind = kindOf(info);
    if (kind !== kinds.struct && kind !== kinds.union) {
      return undefined;
    }
    for (let index = 0; index < vlenOf(info); index++) {
      if (++this.#memberCount > memberLimit) {
        return undefined;
      }
      const record = this.#offsets[id] + typeRecordBytes + index * 12;
      const nameOffset = this.#types.readUInt32LE(record);
      const type = this.#types.readUInt32LE(record + 4);
      const rawOffset = this.#types.readUInt32LE(record + 8);
      const offsetBits = kindFlagOf(info) ? rawOffset & 0xff_ffff : rawOffset;
      if (nameOffset === 0) {
        const inner = this.#member(this.#resolve(type), name, searched, depth + 1);
        if (inner !== undefined) {
          return { type: inner.type, offsetBytes: offsetBits / 8 + inner.offsetBytes };
        }
      } else if (this.#string(nameOffset) === name) {
        // Bitfields have no byte of their own; nothing here reads one.
        return offsetBits % 8 === 0 ? { type, offsetBytes: offsetBits / 8 } : undefined;
      }
    }
    return undefined;
  }

  /** Follows typedefs, qualifiers and tags to the type itself. */
  #resolve(id: number): number {
    for (let depth = 0; depth < depthLimit && id > 0 && id < this.typeCount; depth++) {
      switch (kindOf(this.#info(id))) {
        case kinds.typedef:
        case kinds.volatile:
        case kinds.const:
        case kinds.restrict:
        case kinds.typeTag:
          id = this.#types.readUInt32LE(this.#offsets[id] + 8);
          break;
        default:
          return id;
      }
    }
    return 0;
  }

  #sizeOf(id: number, depth: number): number {
    const resolved = this.#resolve(id);
    if (resolved === 0 || depth > depthLimit) {
      return 0;
    }
    const at = this.#offsets[resolved];
    switch (kindOf(this.#info(resolved))) {
      case kinds.pointer:
        return 8;
      case kinds.array:
        return (
          this.#types.readUInt32LE(at + 20) *
          this.#sizeOf(this.#types.readUInt32LE(at + 12), depth + 1)
        );
      case kinds.forward:
      case kinds.function:
      case kinds.functionPrototype:
        return 0;
      default:
        return this.#types.readUInt32LE(at + 8);
    }
  }

  #elementCount(id: number): number {
    let resolved = this.#resolve(id);
    let count = 1;
    for (let depth = 0; depth < depthLimit; depth++) {
      if (resolved === 0 || kindOf(this.#info(resolved)) !== kinds.array) {
        break;
      }
      count *= this.#types.readUInt32LE(this.#offsets[resolved] + 20);
      resolved = this.#resolve(this.#types.readUInt32LE(this.#offsets[resolved] + 12));
    }
    return count;
  }

  #find(name: string, space: 'struct' | 'enum'): number | undefined {
    this.#named ??= this.#indexNames();
    return this.#named.get(`${space} ${name}`);
  }

  /** Structs, unions and enums by name. The first of a name wins, as in the kernel's own lookup. */
  #indexNames(): ReadonlyMap<string, number> {
    const named = new Map<string, number>();
    for (let id = 1; id < this.typeCount; id++) {
      const kind = kindOf(this.#info(id));
      const space =
        kind === kinds.struct || kind === kinds.union
          ? 'struct'
          : kind === kinds.enum || kind === kinds.enum64
            ? 'enum'
            : undefined;
      const nameOffset = space === undefined ? 0 : this.#types.readUInt32LE(this.#offsets[id]);
      if (nameOffset !== 0) {
        const key = `${space} ${this.#string(nameOffset)}`;
        if (!named.has(key)) {
          named.set(key, id);
        }
      }
    }
    return named;
  }

  #info(id: number): number {
    return this.#types.readUInt32LE(this.#offsets[id] + 4);
  }

  #string(offset: number): string {
    // A name that is longer is cut, and then is nobody's.
    const piece = this.#strings.subarray(offset, offset + nameLimitBytes);
    const end = piece.indexOf(0);
    return piece.toString('latin1', 0, end < 0 ? piece.length : end);
  }
}
