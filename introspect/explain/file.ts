// The file that a page of the page cache belongs to, as its own inode, file system and disk show it
// (struct address_space, struct inode, struct super_block; include/linux/fs.h).
import type { Kernel } from '../kernel/kernel.js';
import { pageSizeBytes } from '../memory/physical-memory.js';
import {
  blockDeviceFileSystem,
  harmlessMask,
  memoryFileSystems,
  orderFields,
  orderFieldWidth,
  provenFileSystems,
  transformedInode,
  virtualDisk,
} from '../mm/cache/mapping.js';
import { type Check, Checks } from './check.js';
import { pathOf } from './path.js';

const fileTypeMask = 0o170000;
const regularFile = 0o100000;
/** dev_t inside the kernel: 12 bits of major, 20 of minor (include/linux/kdev_t.h). */
const minorBits = 20;

/** A member is undefined where the kernel's types do not hold it, or the pointer to it leads nowhere. */
export interface FileEvidence {
  readonly addressSpace: bigint;
  readonly inode: bigint;
  readonly inodeNumber: bigint | undefined;
  /** From the root of its file system; undefined when no name is cached. */
  readonly path: string | undefined;
  readonly mode: number | undefined;
  readonly linkCount: number | undefined;
  readonly sizeBytes: number | undefined;
  readonly inodeFlags: number | undefined;
  readonly mappingFlags: bigint | undefined;
  readonly mappingFlagNames: readonly string[];
  readonly fileSystem: string | undefined;
  /** `major:minor` of s_dev. */
  readonly device: string | undefined;
  readonly disk: string | undefined;
  /** `major:minor` of the device, where the inode is a device's own. */
  readonly ownDevice: string | undefined;
  readonly kind: 'disk-file' | 'memory-file' | 'block-device' | 'unproven';
  /** What `kind` was concluded from. */
  readonly checks: readonly Check[];
}

/** Pages up to the file's end, rounded up. */
export function filePageCount({ sizeBytes }: FileEvidence): number {
  return Math.ceil((sizeBytes ?? 0) / pageSizeBytes);
}

export function fileOf(kernel: Kernel, addressSpace: bigint): FileEvidence {
  const object = (struct: string, address: bigint | undefined) => ({
    address: address ?? 0n,
    read: (...paths: string[]): Buffer | undefined => {
      const member = kernel.btf.struct(struct)?.member(...paths);
      return member === undefined || address === undefined || address === 0n
        ? undefined
        : kernel.memory.bytes(address + BigInt(member.offsetBytes), member.sizeBytes);
    },
  });
  const mapping = object('address_space', addressSpace);
  const inode = object('inode', unsigned(mapping.read('host')));
  const superBlock = object('super_block', unsigned(inode.read('i_sb')));
  const fileSystemType = object('file_system_type', unsigned(superBlock.read('s_type')));
  const blockDevice = object('block_device', unsigned(superBlock.read('s_bdev')));
  const disk = object('gendisk', unsigned(blockDevice.read('bd_disk')));
  const namePointer = unsigned(fileSystemType.read('name'));
  const diskName = disk.read('disk_name');
  const size = unsigned(inode.read('i_size'));
  const flagBits = kernel.btf.enumeration('mapping_flags') ?? new Map<string, number>();
  const found = {
    addressSpace,
    inode: inode.address,
    inodeNumber: unsigned(inode.read('i_ino')),
    path: pathOf(kernel, inode.address),
    mode: small(inode.read('i_mode')),
    linkCount: small(inode.read('i_nlink')),
    sizeBytes: size === undefined ? undefined : Number(BigInt.asIntN(64, size)),
    inodeFlags: small(inode.read('i_flags')),
    mappingFlags: unsigned(mapping.read('flags')),
    mappingFlagNames: namesOfMappingFlags(flagBits, unsigned(mapping.read('flags')) ?? 0n),
    fileSystem:
      namePointer === undefined || namePointer === 0n
        ? undefined
        : kernel.memory.string(namePointer),
    device: deviceNumber(small(superBlock.read('s_dev'))),
    disk: diskName === undefined ? undefined : textOf(diskName),
    ownDevice: deviceNumber(small(inode.read('i_rdev'))),
  };
  const pointsBack = unsigned(inode.read('i_mapping')) === addressSpace;
  return { ...found, ...judge(found, pointsBack, harmlessMask(flagBits)) };
}

function judge(
  file: Omit<FileEvidence, 'kind' | 'checks'>,
  pointsBack: boolean,
  harmlessFlags: bigint,
): Pick<FileEvidence, 'kind' | 'checks'> {
  const checks = new Checks();
  const of = (kind: FileEvidence['kind']) => ({ kind, checks: checks.list });
  const { fileSystem, disk, mode, linkCount, inodeFlags, mappingFlags } = file;
  if (
    !checks.that(
      pointsBack,
      'mapping leads to an address_space whose inode points back to it',
      file.inode === 0n ? 'it has no inode' : '',
    )
  ) {
    return of('unproven');
  }
  const stated = fileSystem ?? 'none';
  if (
    fileSystem !== undefined &&
    checks.that(memoryFileSystems.has(fileSystem), 'its file system is memory alone', stated)
  ) {
    return of('memory-file');
  }
  if (checks.that(fileSystem === blockDeviceFileSystem, 'it is a block device itself', stated)) {
    return of('block-device');
  }
  const conditions = [
    checks.that(
      fileSystem !== undefined && provenFileSystems.has(fileSystem),
      'a guest has proven that its file system reads again',
      stated,
    ),
    checks.that(
      disk !== undefined && virtualDisk.test(disk),
      'its file system is on a virtual disk',
      disk ?? 'no disk',
    ),
    checks.that(
      mode !== undefined && (mode & fileTypeMask) === regularFile,
      'it is a regular file',
      mode === undefined ? 'no mode' : `mode 0${mode.toString(8)}`,
    ),
    checks.that((linkCount ?? 0) > 0, 'it is still linked', `i_nlink ${linkCount ?? 'unknown'}`),
    checks.that(
      inodeFlags !== undefined && (inodeFlags & transformedInode) === 0,
      'it is neither encrypted nor under fs-verity',
    ),
    checks.that(
      mappingFlags !== undefined && (mappingFlags & ~harmlessFlags) === 0n,
      'no flag of its mapping is in doubt',
      file.mappingFlagNames.join(' '),
    ),
  ];
  return of(conditions.every(Boolean) ? 'disk-file' : 'unproven');
}

/** The orders of the file's folios stand among the flags as numbers (6.12 on), and are given as such. */
function namesOfMappingFlags(
  flagBits: ReadonlyMap<string, number>,
  flags: bigint,
): readonly string[] {
  const names: string[] = [];
  let rest = BigInt.asUintN(64, flags);
  const width = BigInt(flagBits.get(orderFieldWidth) ?? 0);
  for (const field of width === 0n ? [] : orderFields) {
    const shift = BigInt(flagBits.get(field) ?? 64);
    const order = (rest >> shift) & ((1n << width) - 1n);
    if (order !== 0n) {
      names.push(`${field}=${order}`);
      rest &= ~(order << shift);
    }
  }
  for (let bit = 0; bit < 64; bit++) {
    if (((rest >> BigInt(bit)) & 1n) === 1n) {
      const name = [...flagBits].find(([key, at]) => at === bit && key !== orderFieldWidth)?.[0];
      names.push(name ?? `bit ${bit}`);
    }
  }
  return names;
}

function unsigned(bytes: Buffer | undefined): bigint | undefined {
  // No member that is asked for is longer than a pointer.
  return bytes === undefined || bytes.length === 0 || bytes.length > 8
    ? undefined
    : BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function small(bytes: Buffer | undefined): number | undefined {
  const value = unsigned(bytes);
  return value === undefined ? undefined : Number(value);
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

function deviceNumber(device: number | undefined): string | undefined {
  return device === undefined || device === 0
    ? undefined
    : `${device >>> minorBits}:${device & (2 ** minorBits - 1)}`;
}
