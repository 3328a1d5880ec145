// One copy of a file on one disk: the bytes and the checksum file beside them. A copy is written under `writing/` and
// moves to `data/` when it is whole and durable; it never changes after that.

import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import {
  checksumFileSizeBytes,
  chunkSizeBytes,
  decodeChecksumFile,
  firstBadChunk,
} from './chunk-checksum.js';
import type { Disk } from './disks/disk.js';
import { privateFileMode, syncFolder, writeDurably } from './disks/disk.js';
import { isAbsent, toParsError } from './node-error.js';

export class CopyWriter {
  readonly disk: Disk;
  readonly #copyId: string;
  #handle: FileHandle | undefined;

  constructor(disk: Disk, copyId: string) {
    this.disk = disk;
    this.#copyId = copyId;
  }

  async open(): Promise<void> {
    this.#handle = await open(copyPath(this.disk, 'writing', this.#copyId), 'wx', privateFileMode);
  }

  /** Takes all of `bytes` before it returns; a short write is an error of the disk. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#handle?.writeFile(bytes);
  }

  /** The copy is durable and in its place when this returns. */
  async finish(checksumFile: Uint8Array): Promise<void> {
    await this.#handle?.sync();
    await this.#close();
    await writeDurably(checksumPath(this.disk, 'writing', this.#copyId), checksumFile);
    for (const pathIn of [checksumPath, copyPath]) {
      await rename(
        pathIn(this.disk, 'writing', this.#copyId),
        pathIn(this.disk, 'data', this.#copyId),
      );
    }
    await syncFolder(path.join(this.disk.folder, 'data'));
  }

  /** Leaves nothing of the copy, however far it came. */
  async discard(): Promise<void> {
    await this.#close();
    for (const folder of ['writing', 'data'] as const) {
      await rm(copyPath(this.disk, folder, this.#copyId), { force: true });
      await rm(checksumPath(this.disk, folder, this.#copyId), { force: true });
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

/** True when the copy is there at full length; its bytes are checked where they are read. */
export async function hasCopy(disk: Disk, copyId: string, sizeBytes: number): Promise<boolean> {
  const file = copyPath(disk, 'data', copyId);
  try {
    return (await stat(file)).size === sizeBytes;
  } catch (error) {
    if (isAbsent(error)) {
      return false;
    }
    throw toParsError(error, `looking for a copy on ${disk.folder}`);
  }
}

/** A copy, and how many bytes it must have. */
export interface KnownCopy {
  readonly copyId: string;
  readonly sizeBytes: number;
}

/**
 * The range from one copy, verified. Undefined when the disk has no such copy; `corrupt` when it has another number of
 * bytes than it must have or a checksum is wrong. The range lies within the copy. It is a view of `into` where the whole
 * chunks around it have room there.
 */
export async function readCopy(
  disk: Disk,
  { copyId, sizeBytes: copySizeBytes }: KnownCopy,
  offsetBytes: number,
  sizeBytes: number,
  into?: Uint8Array,
): Promise<Uint8Array | undefined> {
  const file = copyPath(disk, 'data', copyId);
  const firstChunkIndex = Math.floor(offsetBytes / chunkSizeBytes);
  const startBytes = firstChunkIndex * chunkSizeBytes;
  const endBytes = Math.min(
    Math.ceil((offsetBytes + sizeBytes) / chunkSizeBytes) * chunkSizeBytes,
    copySizeBytes,
  );
  const chunks = await readRange(file, copySizeBytes, startBytes, endBytes - startBytes, into);
  if (chunks === undefined) {
    return undefined;
  }

  const checksumFile = checksumPath(disk, 'data', copyId);
  const checksumSizeBytes = checksumFileSizeBytes(copySizeBytes);
  const encoded = await readRange(checksumFile, checksumSizeBytes, 0, checksumSizeBytes, undefined);
  if (encoded === undefined) {
    throw new ParsError('corrupt', `${file}: its checksum file ${checksumFile} is missing`);
  }
  const checksums = decodeChecksumFile(encoded, copySizeBytes, checksumFile);
  const badChunkIndex = firstBadChunk(checksums, firstChunkIndex, chunks);
  if (badChunkIndex !== undefined) {
    throw new ParsError(
      'corrupt',
      `${file}: the 64 KiB at offset ${badChunkIndex * chunkSizeBytes} do not match their CRC32C`,
    );
  }
  return chunks.subarray(offsetBytes - startBytes, offsetBytes - startBytes + sizeBytes);
}

export async function removeCopy(disk: Disk, copyId: string): Promise<void> {
  await rm(copyPath(disk, 'data', copyId), { force: true });
  await rm(checksumPath(disk, 'data', copyId), { force: true });
}

/** The id of the copy that a file in `data/` belongs to. */
export function copyIdOf(dataFileName: string): string {
  return dataFileName.replace(/^\.(.*)\.crc$/, '$1');
}

/** The file's own size is compared before memory is taken. */
async function readRange(
  file: string,
  fileSizeBytes: number,
  startBytes: number,
  sizeBytes: number,
  into: Uint8Array | undefined,
): Promise<Buffer | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw error;
  }
  try {
    const foundSizeBytes = (await handle.stat()).size;
    if (foundSizeBytes !== fileSizeBytes) {
      throw new ParsError(
        'corrupt',
        `${file}: expected ${fileSizeBytes} bytes, found ${foundSizeBytes}`,
      );
    }
    const bytes =
      into === undefined || into.length < sizeBytes
        ? Buffer.allocUnsafe(sizeBytes)
        : Buffer.from(into.buffer, into.byteOffset, sizeBytes);
    let filledBytes = 0;
    while (filledBytes < sizeBytes) {
      const { bytesRead } = await handle.read(
        bytes,
        filledBytes,
        sizeBytes - filledBytes,
        startBytes + filledBytes,
      );
      if (bytesRead === 0) {
        throw new ParsError('corrupt', `${file}: ends at ${startBytes + filledBytes} while read`);
      }
      filledBytes += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

function copyPath(disk: Disk, folder: 'writing' | 'data', copyId: string): string {
  return path.join(disk.folder, folder, copyId);
}

function checksumPath(disk: Disk, folder: 'writing' | 'data', copyId: string): string {
  return path.join(disk.folder, folder, `.${copyId}.crc`);
}
