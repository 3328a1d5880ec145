// A word as bash reads it back, byte for byte.

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Of any text without NUL bytes, line ends included. */
export function bashQuote(word: string): string {
  return plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
