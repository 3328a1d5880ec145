// Where each field of a file of page hashes lies, and the limits a reader holds it to. FORMAT.md says the same in words. All
// numbers are little-endian.
//
//   head (32) | pages of each pack (u32 each) | hashes of each page (16 bytes each)
import { pageHashBytes } from '../page-hash.js';

export const hashesVersion = 1;

/** First bytes of the file: `PARSHASH`. */
export const hashesMagic = Uint8Array.from('PARSHASH', (letter) => letter.charCodeAt(0));

export const hashesHeadBytes = 32;
export const hashesField = {
  magic: 0,
  version: 8, // u16
  algorithm: 10, // u8
  encryption: 11, // u8, 0 = none, and no key in the hashes
  firstPack: 12, // u32
  packCount: 16, // u32
  reserved: 20, // 8 bytes, zero
  crc: 28, // u32, CRC32C of bytes 0..27 and of all that follows
} as const;

/** 1: the first 16 bytes of SHA-256. */
export const hashAlgorithm = 1;

/** Packs of one file. A pack has at most 16,384 pages, so a file has at most 16 MiB, which a writer and a reader hold whole. */
export const packsPerHashFile = 64;
/** Pages of one pack: a full one of the smallest pages that fit its largest size. */
export const maxHashedPageCount = 2 ** 18;

/** What a file of so many packs and pages has. */
export function hashFileBytes(packCount: number, pageCount: number): number {
  return hashesHeadBytes + packCount * 4 + pageCount * pageHashBytes;
}
