// What a file page's `mapping` belongs to: struct address_space -> inode -> super_block (include/linux/fs.h).
//
// Decides once per file whether its clean pages could be read again from the guest's own disk. Only what is proven is
// `disk-file`; a pointer that does not lead to an inode which points back is `unproven`.
import { expect, Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import { pageSizeBytes } from '../../memory/physical-memory.js';

/**
 * disk-file   regular file, still linked, on a file system and disk whose re-reading a test guest has proven
 * memory-file tmpfs, ramfs and kin: there is no other copy
 * block-device the disk itself: metadata that the journal may hold a newer copy of (fs/jbd2)
 * unproven    anything else
 */
export const mappingKinds = { unproven: 0, diskFile: 1, memoryFile: 2, blockDevice: 3 } as const;

/** File systems whose clean pages a guest was seen to read again. ext4.ko serves all three. */
export const provenFileSystems = new Set(['ext4', 'ext3', 'ext2', 'xfs']);
export const memoryFileSystems = new Set([
  'tmpfs',
  'ramfs',
  'rootfs',
  'devtmpfs',
  'hugetlbfs',
  'secretmem',
  'guest_memfd',
]);
export const blockDeviceFileSystem = 'bdev';
/** Disks that a VM's host provides; not loop, md or device-mapper, whose bytes lie elsewhere or are transformed. */
export const virtualDisk = /^(vd|sd|xvd)[a-z]{1,8}$|^nvme\d{1,5}n\d{1,5}$/;

const fileTypeMask = 0o170000;
const regularFile = 0o100000;
/** inode flags, include/linux/fs.h: bytes on the disk are transformed, or checked against a tree. */
export const transformedInode = (1 << 14) /* S_ENCRYPTED */ | (1 << 16); /* S_VERITY */
/** Mapping flags that do not bear on reading again; any other is doubt. */
const harmlessMappingFlags = ['AS_THP_SUPPORT', 'AS_LARGE_FOLIO_SUPPORT', 'AS_STABLE_WRITES'];
/** Where the smallest and the largest order of the file's folios stand among the flags (6.12 on), and how wide. */
export const orderFields = ['AS_FOLIO_ORDER_MIN', 'AS_FOLIO_ORDER_MAX'];
export const orderFieldWidth = 'AS_FOLIO_ORDER_BITS';

/** The largest member read. */
const wordBytes = 8;

const initialCapacity = 256;
/** A cached file has a page at least. Of more files than these, or than a map can hold, nothing is proven. */
const mappingLimit = 2 ** 22;
/** A guest mounts some dozens of file systems; each is asked again when these are full. */
const superBlockLimit = 2 ** 16;
/** struct inode has some 600 bytes, with its mapping. */
const inodeLimitBytes = 8192;
const unprovenMapping = 0;

/** Columns over the mappings met so far; `find` gives the row. */
export class Mappings {
  kind = new Uint8Array(initialCapacity);
  /** Pages up to the file's end, rounded up. Pages beyond hold nothing of the file. */
  pageCount = new Float64Array(initialCapacity);
  readonly #rows = new Map<number, number>();
  readonly #high: number[] = [0];
  readonly #judge: (address: bigint) => { kind: number; pageCount: number };

  constructor(kernel: Kernel) {
    this.#judge = mappingJudge(kernel);
  }

  /** Row of the address_space whose address has these halves. */
  find(low: number, high: number): number {
    // 53 bits tell all addresses of the direct map apart; the upper half is compared besides.
    const key = (high & 0x1f_ffff) * 2 ** 32 + low;
    const known = this.#rows.get(key);
    if (known !== undefined) {
      return this.#high[known] === high ? known : unprovenMapping;
    }
    const row = this.#high.length;
    if (row >= mappingLimit) {
      return unprovenMapping;
    }
    const verdict = this.#judge((BigInt(high) << 32n) | BigInt(low));
    if (row === this.kind.length) {
      this.#grow();
    }
    this.kind[row] = verdict.kind;
    this.pageCount[row] = verdict.pageCount;
    this.#high.push(high);
    this.#rows.set(key, row);
    return row;
  }

  #grow(): void {
    const kind = new Uint8Array(this.kind.length * 2);
    kind.set(this.kind);
    this.kind = kind;
    const pageCount = new Float64Array(this.pageCount.length * 2);
    pageCount.set(this.pageCount);
    this.pageCount = pageCount;
  }
}

interface SuperBlock {
  readonly fileSystem: string | undefined;
  readonly onVirtualDisk: boolean;
  /** Addresses of what says so, until a file rests on it. */
  readonly wordsRead: bigint[];
}

function mappingJudge(kernel: Kernel) {
  // A pointer in a struct page may be of another kind, so only what proves a file is evidence.
  const memory = kernel.memory.unrecorded;
  const offset = (struct: string, path: string): number =>
    expect(kernel.btf.struct(struct)?.member(path), `${struct}.${path}`).offsetBytes;
  const at = {
    host: offset('address_space', 'host'),
    mappingFlags: offset('address_space', 'flags'),
    mapping: offset('inode', 'i_mapping'),
    mode: offset('inode', 'i_mode'),
    inodeFlags: offset('inode', 'i_flags'),
    superBlock: offset('inode', 'i_sb'),
    linkCount: offset('inode', 'i_nlink'),
    fileSize: offset('inode', 'i_size'),
    fileSystem: offset('super_block', 's_type'),
    fileSystemName: offset('file_system_type', 'name'),
    blockDevice: offset('super_block', 's_bdev'),
    disk: offset('block_device', 'bd_disk'),
    diskName: offset('gendisk', 'disk_name'),
  };
  const embeddedOffset = kernel.btf.struct('inode')?.member('i_data')?.offsetBytes;
  // As far as the last member, and not the whole struct: one read per file, whatever size the types claim.
  const through = (...offsets: readonly number[]): number => Math.max(...offsets) + wordBytes;
  const mappingBytes = through(at.host, at.mappingFlags);
  const inodeBytes = through(
    ...[at.mapping, at.mode, at.inodeFlags, at.superBlock, at.linkCount, at.fileSize],
  );
  if (Math.max(...Object.values(at), embeddedOffset ?? 0) > inodeLimitBytes) {
    throw new Inconsistency(`a struct of files or disks has more than ${inodeLimitBytes} bytes`);
  }
  const flagBits = expect(kernel.btf.enumeration('mapping_flags'), 'enum mapping_flags');
  const harmlessFlags = harmlessMask(flagBits);

  const superBlocks = new Map<bigint, SuperBlock>();
  const superBlockOf = (address: bigint): SuperBlock => {
    const known = superBlocks.get(address);
    if (known !== undefined) {
      return known;
    }
    const wordsRead: bigint[] = [];
    const pointer = (from: bigint | undefined, offsetBytes: number): bigint | undefined => {
      if (from === undefined || from === 0n) {
        return undefined;
      }
      wordsRead.push(from + BigInt(offsetBytes));
      return memory.u64(from + BigInt(offsetBytes));
    };
    const text = (from: bigint | undefined, offsetBytes = 0): string | undefined => {
      if (from === undefined || from === 0n) {
        return undefined;
      }
      wordsRead.push(from + BigInt(offsetBytes));
      return memory.string(from + BigInt(offsetBytes));
    };
    const fileSystem = text(pointer(pointer(address, at.fileSystem), at.fileSystemName));
    const diskName = text(pointer(pointer(address, at.blockDevice), at.disk), at.diskName);
    const entry = {
      fileSystem,
      onVirtualDisk: diskName !== undefined && virtualDisk.test(diskName),
      wordsRead,
    };
    if (superBlocks.size >= superBlockLimit) {
      superBlocks.clear();
    }
    superBlocks.set(address, entry);
    return entry;
  };

  const fileBehind = (
    address: bigint,
  ): { mapping?: Buffer | undefined; inode?: Buffer | undefined; host?: bigint } => {
    // Nearly every inode holds its own mapping: then one read gets both.
    if (embeddedOffset !== undefined) {
      const host = BigInt.asUintN(64, address - BigInt(embeddedOffset));
      const inode = memory.bytes(host, Math.max(inodeBytes, embeddedOffset + mappingBytes));
      if (inode?.readBigUInt64LE(embeddedOffset + at.host) === host) {
        return { mapping: inode.subarray(embeddedOffset), inode, host };
      }
    }
    const mapping = memory.bytes(address, mappingBytes);
    const host = mapping?.readBigUInt64LE(at.host) ?? 0n;
    return { mapping, inode: host === 0n ? undefined : memory.bytes(host, inodeBytes), host };
  };

  const unproven = { kind: mappingKinds.unproven, pageCount: 0 };
  return (address: bigint): { kind: number; pageCount: number } => {
    const { mapping, inode, host = 0n } = fileBehind(address);
    if (mapping === undefined || inode?.readBigUInt64LE(at.mapping) !== address) {
      return unproven;
    }
    const superBlock = superBlockOf(inode.readBigUInt64LE(at.superBlock));
    const { fileSystem, onVirtualDisk } = superBlock;
    if (fileSystem !== undefined && memoryFileSystems.has(fileSystem)) {
      return { kind: mappingKinds.memoryFile, pageCount: 0 };
    }
    if (fileSystem === blockDeviceFileSystem) {
      return { kind: mappingKinds.blockDevice, pageCount: 0 };
    }
    const proven =
      fileSystem !== undefined &&
      provenFileSystems.has(fileSystem) &&
      onVirtualDisk &&
      (inode.readUInt16LE(at.mode) & fileTypeMask) === regularFile &&
      inode.readUInt32LE(at.linkCount) > 0 &&
      (inode.readUInt32LE(at.inodeFlags) & transformedInode) === 0 &&
      (mapping.readBigUInt64LE(at.mappingFlags) & ~harmlessFlags) === 0n;
    if (!proven) {
      return unproven;
    }
    memory.record(address, mappingBytes);
    memory.record(host, inodeBytes);
    superBlock.wordsRead.splice(0).forEach((word) => memory.record(word, wordBytes));
    return {
      kind: mappingKinds.diskFile,
      pageCount: Math.ceil(Number(inode.readBigInt64LE(at.fileSize)) / pageSizeBytes),
    };
  };
}

export function harmlessMask(flagBits: ReadonlyMap<string, number>): bigint {
  const field = (name: string, width: number): bigint => {
    const bit = flagBits.get(name);
    // The word has 64 bits; a damaged enum may say anything, and a shift by it would take as many bytes.
    return bit === undefined || bit < 0 || width < 0 || bit + width > 64
      ? 0n
      : ((1n << BigInt(width)) - 1n) << BigInt(bit);
  };
  const orderWidth = flagBits.get(orderFieldWidth) ?? 0;
  return [
    ...harmlessMappingFlags.map((name) => field(name, 1)),
    ...orderFields.map((name) => field(name, orderWidth)),
  ].reduce((sum, mask) => sum | mask, 0n);
}
