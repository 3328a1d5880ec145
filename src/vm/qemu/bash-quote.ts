// A word as bash reads it back, byte for byte, and as it can be shown: characters that a terminal would obey, or not show,
// are written as their bytes.

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;
/** Control characters, those that set the direction of text or take no room, and what no font has. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;

/** Any text without NUL bytes, line ends included, as one word of bash. */
export function bashQuote(word: string): string {
  if (plainWord.test(word)) {
    return word;
  }
  return invisible.test(word)
    ? `$'${Array.from(word, escaped).join('')}'`
    : `'${word.replaceAll("'", "'\\''")}'`;
}

function escaped(character: string): string {
  if (character === "'" || character === '\\') {
    return `\\${character}`;
  }
  return invisible.test(character)
    ? Array.from(Buffer.from(character), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(
        '',
      )
    : character;
}
