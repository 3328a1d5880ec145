// Text from outside as something to look at: a guest, a store, a file name or another program said it, and none of them may
// move the cursor, colour the screen, turn the line round or begin a new one.
//
// What a reader could not see, or a terminal would obey, is written out as an escape: `\x1b`, `\u202e`. A backslash stays
// as it is, so text that is made visible twice stays the same; who needs the exact characters takes --json.

/**
 * Control characters, formats (such as text direction and zero width), surrogates without their other half, private and
 * unassigned characters; separators of lines; and what fonts show nothing for, such as Hangul fillers and tags.
 */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line, whatever it was. */
export function visibleText(text: string): string {
  return text.replace(unseen, (character) => named[character] ?? escapeOf(character));
}

/** Where such a character is not to be spelled out. Line ends and tabs stay: for text that is laid out by others. */
export function replaceUnseen(text: string, replacement: string): string {
  return text.replace(unseen, (character) =>
    character === '\n' || character === '\t' ? character : replacement,
  );
}

/** With `…` for what is longer: nobody reads it, and columns would be as wide. */
export function shortVisibleText(text: string, maxLength: number): string {
  // Cut first: an escape is several characters, and the text may be of any size.
  const visible = visibleText(text.slice(0, maxLength + 1));
  return visible.length <= maxLength ? visible : `${wholeCharacters(visible, maxLength - 1)}…`;
}

/**
 * A value as JSON that can be shown: characters that cannot stand as `\u` escapes, which every reader of JSON takes back for
 * what they are.
 */
export function visibleJson(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/** JSON that is text already, with characters that could do harm escaped: all of them stand in its strings. */
export function escapeJson(json: string): string {
  return json.replace(unseen, (character) =>
    // A line of JSON ends in one; within it, JSON has escaped them.
    character === '\n' ? character : unitsOf(character).map(jsonEscapeOf).join(''),
  );
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code <= 0xff) {
    return `\\x${digits.padStart(2, '0')}`;
  }
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`;
}

function unitsOf(character: string): readonly number[] {
  return Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
}

function jsonEscapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Not half of a pair of surrogates. */
function wholeCharacters(text: string, length: number): string {
  return /[\ud800-\udbff]/.test(text.charAt(length - 1))
    ? text.slice(0, length - 1)
    : text.slice(0, length);
}
