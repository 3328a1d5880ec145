// JSON that another program, a file or a host sent, with limits on what is made of it: V8 takes any depth, but most that
// goes through a value afterwards calls itself for each level; and a line of a megabyte can be half a million values.
//
// It lies at the bottom of the import order because both trees read such JSON.

export interface PeerJsonLimits {
  readonly maxDepth?: number;
  /** Members and elements of all levels together. */
  readonly maxValueCount?: number;
}

/** No format that is read here has a tenth of it. */
const defaultMaxDepth = 64;
const defaultMaxValueCount = 2 ** 20;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Throws `SyntaxError` for what is no JSON, and for more than the limits allow. The text's length is the caller's to limit. */
export function parsePeerJson(
  text: string,
  { maxDepth = defaultMaxDepth, maxValueCount = defaultMaxValueCount }: PeerJsonLimits = {},
): unknown {
  let depth = 0;
  let valueCount = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) {
      at = endOfString(text, at);
    } else if (character === comma) {
      valueCount++;
    } else if (openings.has(character)) {
      depth++;
      valueCount++;
      if (depth > maxDepth) {
        throw new SyntaxError(`JSON is nested more than ${maxDepth} levels deep`);
      }
    } else if (closings.has(character)) {
      depth--;
    }
    if (valueCount > maxValueCount) {
      throw new SyntaxError(`JSON has more than ${maxValueCount} values`);
    }
  }
  return JSON.parse(text);
}

/** Where its closing quote is, or the text ends. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) {
      before--;
    }
    if ((end - before) % 2 === 0) {
      return end;
    }
  }
  return text.length;
}
