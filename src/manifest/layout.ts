// Where each field of a manifest's fixed head lies, and the limits a reader holds the rest to. FORMAT.md says the same in
// words. All numbers are little-endian.
//
//   head (64) | header (msgpack) | details (msgpack) | SHA-256 of all before (32)
//
// Version 1 has the body in the place of the details.
import type { StructureLimits } from './structure.js';

/** What is written. */
export const manifestVersion = 2;
/** What is read. */
export const manifestVersions = [1, 2] as const;
export type ManifestVersion = (typeof manifestVersions)[number];

/** First bytes of a manifest: `PARSMANI`. */
export const manifestMagic = Uint8Array.from('PARSMANI', (letter) => letter.charCodeAt(0));

export const headSizeBytes = 64;
export const headField = {
  magic: 0,
  version: 8, // u16
  flags: 10, // u16, none known
  headerSize: 12, // u32
  secondSize: 16, // u64, of the details, or of the body
  encryption: 24, // u8, of the details: 0 = none. Reserved in version 1, and zero
  reserved: 25, // 35 zero bytes
  crc: 60, // u32, CRC32C of bytes 0..59 and of the header
} as const;

export const hashSizeBytes = 32;

/** A pack takes 8 bytes here, in version 1 some 100, so this is room for all packs of 10 TiB of guest. */
export const maxHeaderSizeBytes = 16 * 2 ** 20;
/** Room for maxPageCount in as many runs and places as a guest of many processes has. */
export const maxBodySizeBytes = 2 ** 30;
export const maxDetailsSizeBytes = 2 ** 20;
/**
 * Files that a manifest's body is made of: a base and what changed since. Each is a request, and all are read at once; with so
 * many, of the bytes that mayFollow (body/chain.ts) allows, a snapshot opens in about one and a half times its base's time
 * (bench/manifest-chain.ts).
 */
export const maxBodyCount = 17;
/** In version 1 packs took at least 64 bytes of a header each, so that more did not fit. */
export const maxPackCount = 2 ** 18;
/** Files of page hashes: each is of one pack at least. */
export const maxHashFileCount = maxPackCount;
/** Regions of a space. */
export const maxRegionCount = 65_536;
/** What the kernel says of itself, and what did not add up: the first is from a page of 4096 bytes. */
export const maxGuestTextLength = 4096;
export const maxEvidenceLength = 16_384;
/** A pack of version 1 has a map of seven values, so this is room for all packs; everything else of a header is a few hundred. */
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

/** What `list` should read first: with up to some 7000 packs, of version 1 some 600, the whole header is in it. */
export const firstReadBytes = 64 * 2 ** 10;

/** Version 1: pages of some labels are in no frame and yet not zero: every restore heals them. */
export const notStoredFeature = 'not-stored';
/** Version 1: disks are stored beside RAM: a restore that knows RAM alone would leave them out without a word. */
export const disksFeature = 'disks';
/** Version 1: the VM's name has other characters than A-Z a-z 0-9 . _ -, which programs of before take for damage. */
export const namesFeature = 'names';
/** Version 2: packs are kept in units of an erasure code: programs of before would look for the key of their copies in vain. */
export const codedPacksFeature = 'coded-packs';
/** Features that this program knows and a manifest may require. */
export const knownFeatures: Readonly<Record<ManifestVersion, readonly string[]>> = {
  1: [notStoredFeature, disksFeature, namesFeature],
  2: [codedPacksFeature],
};
