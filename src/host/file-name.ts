// A name in a folder is bytes. As text it leads back to its file only where these are UTF-8; two names that are not would be one
// text, with replacement characters in the place of what differs.

/** Undefined where the bytes are no UTF-8. */
export function textOfFileName(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** To be shown where it is no text: bytes beyond ASCII as `\xff`. */
export function shownFileName(bytes: Buffer): string {
  return Array.from(bytes, (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  ).join('');
}
