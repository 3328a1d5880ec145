// The bytes of a file of page hashes, checked before anything of them is believed: magic, version, CRC, then sizes against the
// bytes at hand. Whoever reads it holds its SHA-256 against the manifest's first.
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
  maxHashedPageCount,
  packsPerHashFile,
} from './layout.js';
import type { PackHashes } from './types.js';

/** The hashes are views of `bytes`. Throws `corrupt`, or `unsupported` for what is not known here. */
export function decodeHashes(bytes: Uint8Array): PackHashes {
  if (bytes.length < hashesHeadBytes) {
    throw corrupt(`expected a head of ${hashesHeadBytes} bytes, found ${bytes.length}`);
  }
  if (hashesMagic.some((byte, index) => bytes[index] !== byte)) {
    throw corrupt('the first 8 bytes are not PARSHASH');
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  expectKnown('version', view.readUInt16LE(hashesField.version), hashesVersion);
  const headCrc = crc32c(view.subarray(0, hashesField.crc));
  const computed = crc32c(view.subarray(hashesHeadBytes), headCrc);
  const crc = view.readUInt32LE(hashesField.crc);
  if (crc !== computed) {
    throw corrupt(`its CRC32C at byte ${hashesField.crc} is ${crc}, its bytes give ${computed}`);
  }
  expectKnown('algorithm', view[hashesField.algorithm], hashAlgorithm);
  expectKnown('encryption', view[hashesField.encryption], 0);
  if (view.subarray(hashesField.reserved, hashesField.crc).some((byte) => byte !== 0)) {
    throw corrupt(`reserved bytes from byte ${hashesField.reserved} are not zero`);
  }
  const packCount = view.readUInt32LE(hashesField.packCount);
  if (
    packCount === 0 ||
    packCount > packsPerHashFile ||
    hashFileBytes(packCount, 0) > view.length
  ) {
    throw corrupt(
      `expected 1 to ${packsPerHashFile} packs that fit ${view.length} bytes, found ${packCount}`,
    );
  }
  const packs: Uint8Array[] = [];
  let at = hashFileBytes(packCount, 0);
  for (let pack = 0; pack < packCount; pack++) {
    const pageCount = view.readUInt32LE(hashesHeadBytes + pack * 4);
    const end = at + pageCount * pageHashBytes;
    if (pageCount > maxHashedPageCount || end > view.length) {
      throw corrupt(`${pageCount} hashes of its pack ${pack} do not fit ${view.length} bytes`);
    }
    packs.push(bytes.subarray(at, end));
    at = end;
  }
  if (at !== view.length) {
    throw corrupt(`it has ${view.length} bytes, its hashes end at byte ${at}`);
  }
  return { firstPack: view.readUInt32LE(hashesField.firstPack), packs };
}

function expectKnown(field: string, found: number, known: number): void {
  if (found !== known) {
    throw new ParsError(
      'unsupported',
      `page hashes: ${field} ${found} is not known here (known: ${known}); use a newer program`,
    );
  }
}

function corrupt(problem: string): ParsError {
  return new ParsError('corrupt', `page hashes: ${problem}`);
}
