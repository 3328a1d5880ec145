// Page hashes to the bytes of their file.
import { crc32c } from '@node-rs/crc32';
import { ParsError } from '../../../introspect/pars-error.js';
import { pageHashBytes } from '../page-hash.js';
import {
  hashAlgorithm,
  hashesField,
  hashesHeadBytes,
  hashesMagic,
  hashesVersion,
  hashFileBytes,
  packsPerHashFile,
} from './layout.js';
import type { PackHashes } from './types.js';

/** Throws `usage` for as many packs as no reader takes. */
export function encodeHashes({ firstPack, packs }: PackHashes): Uint8Array {
  if (packs.length === 0 || packs.length > packsPerHashFile) {
    throw new ParsError(
      'usage',
      `page hashes to be written: expected 1 to ${packsPerHashFile} packs, found ${packs.length}`,
    );
  }
  const pageCounts = packs.map((hashes) => hashes.length / pageHashBytes);
  const pageCount = pageCounts.reduce((sum, count) => sum + count, 0);
  const bytes = Buffer.alloc(hashFileBytes(packs.length, pageCount));
  bytes.set(hashesMagic, hashesField.magic);
  bytes.writeUInt16LE(hashesVersion, hashesField.version);
  bytes[hashesField.algorithm] = hashAlgorithm;
  bytes.writeUInt32LE(firstPack, hashesField.firstPack);
  bytes.writeUInt32LE(packs.length, hashesField.packCount);
  let at = hashesHeadBytes;
  for (const count of pageCounts) {
    at = bytes.writeUInt32LE(count, at);
  }
  for (const hashes of packs) {
    bytes.set(hashes, at);
    at += hashes.length;
  }
  const headCrc = crc32c(bytes.subarray(0, hashesField.crc));
  bytes.writeUInt32LE(crc32c(bytes.subarray(hashesHeadBytes), headCrc), hashesField.crc);
  return bytes;
}
