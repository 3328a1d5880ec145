// Where each field of a body file's fixed head lies. FORMAT.md says the same in words. All numbers are little-endian.
//
//   head (40) | record (msgpack, deflated)
export const bodyVersion = 1;

/** First bytes of a body: `PARSBODY`. */
export const bodyMagic = Uint8Array.from('PARSBODY', (letter) => letter.charCodeAt(0));

export const bodyHeadBytes = 40;
export const bodyField = {
  magic: 0,
  version: 8, // u16
  kind: 10, // u8
  codec: 11, // u8
  encryption: 12, // u8, 0 = none
  reserved: 13, // 3 bytes, zero
  rawSize: 16, // u64, of the record
  storedSize: 24, // u64, of what follows the head
  reservedToo: 32, // 4 bytes, zero
  crc: 36, // u32, CRC32C of bytes 0..35
} as const;

/** All of a snapshot, or what changed since the body before. */
export const bodyKinds = { base: 0, delta: 1 } as const;
export type BodyKind = keyof typeof bodyKinds;

/** The record as DEFLATE has it (RFC 1951), without a wrapper. */
export const deflated = 1;

/** What a record may have for each page of the snapshot, and besides: more can't be of use, whatever its head says. */
export const mostBytesPerPage = 96;
export const mostBytesBesides = 16 * 2 ** 20;
