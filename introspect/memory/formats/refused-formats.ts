// Files that are known by their first bytes and not read: better refused by name than taken for raw RAM.
import { ParsError } from '../../pars-error.js';

interface RefusedFormat {
  readonly name: string;
  /** What the file begins with; the pattern is held against its bytes as Latin-1. */
  readonly start: RegExp;
  /** What makes something of it that is read. */
  readonly remedy: string;
}

const fromKdump =
  'write an ELF core instead: QEMU `dump-guest-memory FILE`, `virsh dump --memory-only --format elf`, or convert it with `makedumpfile -E -d 0`';
const fromLime =
  'convert it with `avml-convert --source-format FORMAT --format raw`, FORMAT being lime or lime_compressed; ' +
  'offsets are then addresses, which a map file says where the guest has RAM above 4 GiB';
const fromDisk =
  "give the VM's RAM: its own file (QEMU's mem-path), a migration stream, a `virsh save` file or an ELF core. " +
  'RAM that QEMU saved inside a disk image (`savevm`) is not read there';
const unpackedBy = (program: string): string =>
  `decompress it first with \`${program}\`, and give the result`;

const refusedFormats: readonly RefusedFormat[] = [
  { name: 'a kdump-compressed dump', start: /^KDUMP {3}/, remedy: fromKdump },
  { name: 'a flattened kdump-compressed dump', start: /^makedumpfile/, remedy: fromKdump },
  { name: 'a LiME dump', start: /^EMiL/, remedy: fromLime },
  { name: 'a compressed AVML dump', start: /^AVML/, remedy: fromLime },
  { name: 'a qcow2 disk image', start: /^QFI\xfb\0\0\0[\x01-\x03]/, remedy: fromDisk },
  { name: 'a QED disk image', start: /^QED\0/, remedy: fromDisk },
  {
    name: 'a VMDK disk image',
    start: /^(KDMV[\x01-\x03]\0\0\0|# Disk DescriptorFile)/,
    remedy: fromDisk,
  },
  { name: 'a VHDX disk image', start: /^vhdxfile/, remedy: fromDisk },
  { name: 'a VHD disk image', start: /^conectix/, remedy: fromDisk },
  { name: 'a VDI disk image', start: /^<<< [^]{60}\x7f\x10\xda\xbe/, remedy: fromDisk },
  {
    name: 'compressed with gzip',
    // Deflate is the only method, and three flags are never set.
    start: /^\x1f\x8b\x08[\0-\x1f]/,
    remedy: unpackedBy('gzip -d'),
  },
  {
    name: 'compressed with xz',
    start: /^\xfd7zXZ\0/,
    remedy: unpackedBy('xz -d'),
  },
  {
    name: 'compressed with zstd',
    start: /^\x28\xb5\x2f\xfd/,
    remedy: unpackedBy('zstd -d'),
  },
  {
    name: 'compressed with bzip2',
    start: /^BZh[1-9]1AY&SY/,
    remedy: unpackedBy('bzip2 -d'),
  },
  {
    name: 'compressed with lz4',
    start: /^\x04\x22\x4d\x18/,
    remedy: unpackedBy('lz4 -d'),
  },
  {
    name: 'compressed with lzop',
    start: /^\x89LZO\0\r\n\x1a\n/,
    remedy: unpackedBy('lzop -d'),
  },
  {
    name: 'a ZIP archive',
    start: /^PK\x03\x04/,
    remedy: unpackedBy('unzip'),
  },
];

/** VMs have whole MiB of RAM. Other files have such a size once in many. */
const ramGranuleBytes = 2 ** 20;
/** As much of a file as any of them is known by. */
export const refusedHeadBytes = 68;

function formatOf(head: Uint8Array): RefusedFormat | undefined {
  const text = Buffer.from(head.subarray(0, refusedHeadBytes)).toString('latin1');
  return refusedFormats.find(({ start }) => start.test(text));
}

/**
 * Throws `unsupported` when the file begins like one of them. A guest may write what it likes at the beginning of its RAM, and
 * must not stop its own backup by it; so a file that has the size of RAM is not refused.
 */
export function refuseKnownFormats(head: Buffer, sizeBytes: number, path: string): void {
  const format = formatOf(head);
  if (format !== undefined && sizeBytes % ramGranuleBytes !== 0) {
    throw new ParsError(
      'unsupported',
      `${path} is ${format.name}, which is not read: ${format.remedy}. ` +
        'If it is RAM that happens to begin so, state --format raw',
    );
  }
}

/** What the bytes begin like, `compressed with gzip` for one; undefined when like none of them. */
export function refusedFormatOf(head: Uint8Array): string | undefined {
  return formatOf(head)?.name;
}
