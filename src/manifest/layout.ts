// Where each field of a manifest's fixed head lies, and the limits a reader holds the rest to. FORMAT.md says the same in
// words. All numbers are little-endian.
//
//   head (64) | header (msgpack) | body (msgpack) | SHA-256 of all before (32)
import type { StructureLimits } from './structure.js';

export const manifestVersion = 1;

/** First bytes of a manifest: `PARSMANI`. */
export const manifestMagic = Uint8Array.from('PARSMANI', (letter) => letter.charCodeAt(0));

export const headSizeBytes = 64;
export const headField = {
  magic: 0,
  version: 8, // u16
  flags: 10, // u16, none known
  headerSize: 12, // u32
  bodySize: 16, // u64
  reserved: 24, // 36 zero bytes
  crc: 60, // u32, CRC32C of bytes 0..59 and of the header
} as const;

export const hashSizeBytes = 32;

/** A pack takes some 100 bytes here, so this is room for 160,000 packs: 10 TiB of guest. */
export const maxHeaderSizeBytes = 16 * 2 ** 20;
/** With hashes of all pages, 1 GiB is room for a guest of about 400 GiB; without them for maxPageCount. */
export const maxBodySizeBytes = 2 ** 30;
/** Packs take at least 64 bytes of a header each, so more do not fit. */
export const maxPackCount = 2 ** 18;
/** Regions of a space. */
export const maxRegionCount = 65_536;
/** What the kernel says of itself, and what did not add up: the first is from a page of 4096 bytes. */
export const maxGuestTextLength = 4096;
export const maxEvidenceLength = 16_384;
/** A pack's map has seven values, so this is room for all packs; everything else of a header is a few hundred. */
export const headerStructure: StructureLimits = {
  maxValueCount: 8 * maxPackCount,
  maxListLength: maxPackCount,
  maxTextBytes: maxHeaderSizeBytes,
};
/** A region's map has five values, and disks have one region each. Columns are byte strings, one value each. */
export const bodyStructure: StructureLimits = {
  maxValueCount: 2 ** 20,
  maxListLength: maxRegionCount,
  maxTextBytes: 16 * 2 ** 20,
};
/** 1 TiB of guest, so that a page index fits 32 bits with room. */
export const maxPageCount = 2 ** 28;

/** What `list` should read first: with up to some 600 packs the whole header is in it. */
export const firstReadBytes = 64 * 2 ** 10;

/** Pages of some labels are in no frame and yet not zero: every restore heals them. */
export const notStoredFeature = 'not-stored';
/** Disks are stored beside RAM: a restore that knows RAM alone would leave them out without a word. */
export const disksFeature = 'disks';
/** The VM's name has other characters than A-Z a-z 0-9 . _ -, which programs of before take for damage. */
export const namesFeature = 'names';
/** Features that this program knows and a manifest may require. */
export const knownFeatures: readonly string[] = [notStoredFeature, disksFeature, namesFeature];
