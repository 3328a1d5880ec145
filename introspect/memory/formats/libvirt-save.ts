// What `virsh save` and `virsh managedsave` write: the domain's XML, then QEMU's migration stream.
//
//   "LibvirtQemudSave" | u32 version, data length, was running, format, cookie's offset | 56 unused
//   XML \0 [cookie \0] | stream: as it is, compressed, or as a mapped-ram file
//
// (libvirt src/qemu/qemu_saveimage.h; numbers in the order of the host, little-endian on x86.) Header and XML are kept
// before the state, so that a restore can give a save file again. A compressed stream is decompressed into a scratch
// file first, since pages are read in any order.
import { ParsError } from '../../pars-error.js';
import { ImageFile } from '../image-file.js';
import type { ImageOpener, MemoryImage } from '../memory-image.js';
import { statedRamBytes } from '../migration/decode.js';
import { decompress } from './decompress.js';
import { openMigrationStream } from './migration-stream.js';

const magic = Buffer.from('LibvirtQemudSave');
/** In the magic's place until the file is complete. */
const unfinishedMagic = Buffer.from('LibvirtQemudPart');
const headerBytes = 92;
const version = 2;
const formatAt = 28;
/** A domain's XML and its cookie have some ten kilobytes. */
const maxDataBytes = 16 * 2 ** 20;

/** Beside its RAM, once: records' heads, and devices. */
const overheadShare = 0.25;
const overheadBytes = 256 * 2 ** 20;

/** By the header's number. `program` reads the compressed stream and writes it decompressed. */
const formats: readonly {
  readonly name: string;
  readonly program: readonly string[] | undefined;
}[] = [
  { name: 'raw', program: undefined },
  { name: 'gzip', program: ['gzip', '-dc'] },
  { name: 'bzip2', program: ['bzip2', '-dc'] },
  { name: 'xz', program: ['xz', '-dc', '--memlimit-decompress=1GiB'] },
  { name: 'lzop', program: ['lzop', '-dc', '--ignore-warn'] },
  { name: 'zstd', program: ['zstd', '-dc'] },
  // mapped-ram, which the stream says itself.
  { name: 'sparse', program: undefined },
];

export const libvirtSaveOpener: ImageOpener = {
  format: 'libvirt-save',
  recognises: (head) => startsWith(head, magic) || startsWith(head, unfinishedMagic),
  open: (path) => ImageFile.openAs(path, openSave),
};

export interface SaveHead {
  /** Header and XML, for a stream that is not compressed. */
  readonly bytes: Uint8Array;
  readonly program: readonly string[] | undefined;
}

/** Undefined when the file does not begin as a save file does. Throws `image-invalid` when it is damaged. */
export function readSaveHead(file: ImageFile): SaveHead | undefined {
  const header = Buffer.alloc(Math.min(headerBytes, file.sizeBytes));
  file.read(0, header);
  if (startsWith(header, unfinishedMagic)) {
    throw new ParsError(
      'image-invalid',
      `${file.path} begins with ${unfinishedMagic.toString()}: virsh has not finished it, or was killed; save again`,
    );
  }
  if (!startsWith(header, magic)) {
    return undefined;
  }
  if (header.length < headerBytes) {
    throw damaged(file, `a header of ${headerBytes} bytes`, `the file's end at ${header.length}`);
  }
  const [foundVersion, dataBytes, , format] = Array.from({ length: 4 }, (_, index) =>
    header.readUInt32LE(magic.length + 4 * index),
  );
  if (foundVersion !== version) {
    throw new ParsError(
      'unsupported',
      `${file.path}: expected a save file of version ${version}, found version ${foundVersion} at offset ${magic.length}`,
    );
  }
  if (format >= formats.length) {
    throw new ParsError(
      'unsupported',
      `${file.path}: expected a format up to ${formats.length - 1} (${formats.map(({ name }) => name).join(', ')}), ` +
        `found ${format} at offset ${formatAt}; set save_image_format in qemu.conf to raw and save again`,
    );
  }
  if (dataBytes > maxDataBytes || headerBytes + dataBytes > file.sizeBytes) {
    throw damaged(
      file,
      `XML that lies in the file and has at most ${maxDataBytes} bytes`,
      `${dataBytes} bytes in a file of ${file.sizeBytes}`,
    );
  }
  const bytes = Buffer.alloc(headerBytes + dataBytes);
  file.read(0, bytes);
  bytes.writeUInt32LE(0, formatAt);
  return { bytes, program: formats[format].program };
}

function openSave(file: ImageFile): MemoryImage {
  const head = readSaveHead(file);
  if (head === undefined) {
    throw damaged(file, `the magic ${magic.toString()}`, 'something else at its beginning');
  }
  const { bytes, program } = head;
  if (program === undefined) {
    return { format: 'libvirt-save', ...openMigrationStream(file, bytes.length, [bytes]) };
  }
  const stream = decompress(
    file,
    bytes.length,
    program,
    (start) => statedRamBytes(start, 0) * (1 + overheadShare) + overheadBytes,
  );
  try {
    const image = openMigrationStream(stream, 0, [bytes]);
    file.close();
    return { format: 'libvirt-save', ...image };
  } catch (error) {
    stream.close();
    throw error;
  }
}

function startsWith(head: Buffer, start: Buffer): boolean {
  return head.subarray(0, start.length).equals(start);
}

function damaged({ path }: ImageFile, expected: string, found: string): ParsError {
  return new ParsError(
    'image-invalid',
    `${path}: expected ${expected}, found ${found}; the file is damaged or no virsh save file`,
  );
}
