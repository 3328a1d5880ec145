// The structure of MessagePack, walked over before it is decoded: what it announces is counted, and nothing is taken for
// it. A byte of nil becomes eight of a list, and a list of lists more, so the size of the file alone is no limit.
//
// Lengths are compared with what is left of the bytes, keys of maps must be strings, and there are no extension types:
// manifests have none, and some make msgpackr build what was not asked for.

export interface StructureLimits {
  /** Values in all, keys of maps counted. */
  readonly maxValueCount: number;
  /** Elements of one list. */
  readonly maxListLength: number;
  /** Bytes of all strings. */
  readonly maxTextBytes: number;
}

/** Far more than a header, a body or anything within them has. */
const maxMapLength = 1024;
const maxDepth = 16;

/** A list or map that is being walked over. */
interface Open {
  readonly isMap: boolean;
  /** Values left of it; of a map keys and values. */
  left: number;
}

/** What is wrong, with the byte where it is, or undefined: then `bytes` are one value, and within the limits. */
export function structureProblem(bytes: Uint8Array, limits: StructureLimits): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const open: Open[] = [{ isMap: false, left: 1 }];
  let at = 0;
  let valueCount = 0;
  let textBytes = 0;
  for (;;) {
    while (open.length > 0 && open[open.length - 1].left === 0) {
      open.pop();
    }
    const parent = open.at(-1);
    if (parent === undefined) {
      break;
    }
    const where = `at byte ${at} of it`;
    const token = tokenAt(view, at);
    if (token === undefined) {
      return `${where} is no value that a manifest may have, or it ends there`;
    }
    const isKey = parent.isMap && parent.left % 2 === 0;
    if (isKey && token.kind !== 'text') {
      return `${where} is a key that is no string`;
    }
    parent.left--;
    if (++valueCount > limits.maxValueCount) {
      return `it has more than ${limits.maxValueCount} values`;
    }
    at += token.headBytes;
    if (token.kind === 'list' || token.kind === 'map') {
      const maxLength = token.kind === 'map' ? maxMapLength : limits.maxListLength;
      if (token.length > maxLength) {
        return `${where} is a ${token.kind} of ${token.length}, at most ${maxLength} are possible`;
      }
      if (open.length > maxDepth) {
        return `${where} it is more than ${maxDepth} levels deep`;
      }
      const isMap = token.kind === 'map';
      open.push({ isMap, left: isMap ? 2 * token.length : token.length });
      continue;
    }
    if (token.length > bytes.length - at) {
      return `${where} are ${token.length} bytes announced, and ${bytes.length - at} left`;
    }
    at += token.length;
    textBytes += token.kind === 'text' ? token.length : 0;
    if (textBytes > limits.maxTextBytes) {
      return `its strings take more than ${limits.maxTextBytes} bytes`;
    }
  }
  return at === bytes.length ? undefined : `${bytes.length - at} bytes follow it`;
}

interface Token {
  readonly kind: 'text' | 'list' | 'map' | 'other';
  /** Bytes that the type and the length take. */
  readonly headBytes: number;
  /** Elements of a list, pairs of a map, else bytes that follow. */
  readonly length: number;
}

/** Undefined for what is not allowed, or cut off. */
function tokenAt(view: DataView, at: number): Token | undefined {
  if (at >= view.byteLength) {
    return undefined;
  }
  const type = view.getUint8(at);
  if (type < 0x80 || type >= 0xe0) {
    return { kind: 'other', headBytes: 1, length: 0 };
  }
  if (type < 0x90) {
    return { kind: 'map', headBytes: 1, length: type & 0x0f };
  }
  if (type < 0xa0) {
    return { kind: 'list', headBytes: 1, length: type & 0x0f };
  }
  if (type < 0xc0) {
    return { kind: 'text', headBytes: 1, length: type & 0x1f };
  }
  const sized = (kind: Token['kind'], lengthBytes: 1 | 2 | 4): Token | undefined => {
    if (at + 1 + lengthBytes > view.byteLength) {
      return undefined;
    }
    const length =
      lengthBytes === 1
        ? view.getUint8(at + 1)
        : lengthBytes === 2
          ? view.getUint16(at + 1)
          : view.getUint32(at + 1);
    return { kind, headBytes: 1 + lengthBytes, length };
  };
  switch (type) {
    case 0xc0: // nil, false, true
    case 0xc2:
    case 0xc3:
      return { kind: 'other', headBytes: 1, length: 0 };
    case 0xc4: // bin
      return sized('other', 1);
    case 0xc5:
      return sized('other', 2);
    case 0xc6:
      return sized('other', 4);
    case 0xcc: // integers of 8 bits
    case 0xd0:
      return { kind: 'other', headBytes: 1, length: 1 };
    case 0xcd:
    case 0xd1:
      return { kind: 'other', headBytes: 1, length: 2 };
    case 0xca: // float 32, integers of 32 bits
    case 0xce:
    case 0xd2:
      return { kind: 'other', headBytes: 1, length: 4 };
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return { kind: 'other', headBytes: 1, length: 8 };
    case 0xd9:
      return sized('text', 1);
    case 0xda:
      return sized('text', 2);
    case 0xdb:
      return sized('text', 4);
    case 0xdc:
      return sized('list', 2);
    case 0xdd:
      return sized('list', 4);
    case 0xde:
      return sized('map', 2);
    case 0xdf:
      return sized('map', 4);
    default: // 0xc1, and extension types
      return undefined;
  }
}
