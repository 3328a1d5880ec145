// Which file of which disk a page of the page cache belongs to: struct address_space -> inode -> super_block ->
// block_device -> gendisk (include/linux/fs.h, blk_types.h, blkdev.h). Unlike mapping.ts this does not judge what the
// page's loss would mean: it names a place where the same bytes should be, which whoever asks compares.
import type { Kernel } from '../../kernel/kernel.js';
import {
  blockDeviceFileSystem,
  provenFileSystems,
  transformedInode,
  virtualDisk,
} from './mapping.js';

/** A file system on a disk, or a block device's own cache. */
export interface Volume {
  /** `file_system_type.name`; `bdev` for the device itself. */
  readonly fileSystem: string;
  /** `gendisk.disk_name`, such as vda. */
  readonly disk: string;
  /** Where the volume begins on the disk: that of its partition, or 0. */
  readonly startBytes: number;
  readonly blockSizeBytes: number;
}

/** What `find` says where nothing is known. */
export const noFile = -1;

/** The inode number that stands for a block device's own cache, which is no file of a file system. */
const noInode = 0;
const sectorBytes = 512;
const fileTypeMask = 0o170000;
const regularFile = 0o100000;
const blockDeviceFile = 0o060000;

/** Files and volumes beyond these are on no disk that is known. A guest mounts some dozens of file systems. */
const fileLimit = 2 ** 22;
const volumeLimit = 1024;

interface PlacedVolume extends Volume {
  /** Address of its struct block_device. */
  readonly device: bigint;
}

export class DiskFiles {
  /** By row: the inode's number, 0 for a block device's own cache. */
  readonly inode: number[] = [];
  /** By row: index into `volumes`. */
  readonly volume: number[] = [];
  readonly volumes: PlacedVolume[] = [];
  readonly #kernel: Kernel;
  /** Row by address_space. */
  readonly #rows = new Map<bigint, number>();
  /** By super block, or by block_device: a volume, undefined where it is on no disk that is known. */
  readonly #volumeRows = new Map<bigint, number | undefined>();
  /** The address_space asked for last, as most pages have the one of the page before. */
  #lastLow = 0;
  #lastHigh = 0;
  #lastRow = noFile;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Row of the file whose address_space has these halves of an address; `noFile` where it is on no disk that is known. */
  find(low: number, high: number): number {
    if (low !== this.#lastLow || high !== this.#lastHigh) {
      const address = (BigInt(high) << 32n) | BigInt(low);
      let row = this.#rows.get(address);
      if (row === undefined) {
        row = this.#rows.size < fileLimit ? this.#add(address) : noFile;
        if (this.#rows.size < fileLimit) {
          this.#rows.set(address, row);
        }
      }
      this.#lastLow = low;
      this.#lastHigh = high;
      this.#lastRow = row;
    }
    return this.#lastRow;
  }

  #add(mapping: bigint): number {
    const inode = this.#pointer('address_space', mapping, 'host');
    if (inode === undefined || this.#pointer('inode', inode, 'i_mapping') !== mapping) {
      return noFile;
    }
    const superBlock = this.#pointer('inode', inode, 'i_sb');
    const fileSystem = this.#fileSystemOf(superBlock);
    const mode = (this.#word('inode', inode, 'i_mode') ?? 0) & fileTypeMask;
    if (superBlock === undefined || fileSystem === undefined) {
      return noFile;
    }
    if (fileSystem === blockDeviceFileSystem) {
      return mode === blockDeviceFile ? this.#addDevice(inode, mapping) : noFile;
    }
    const flags = this.#word('inode', inode, 'i_flags');
    const number = Number(this.#long('inode', inode, 'i_ino') ?? 0n);
    if (
      !provenFileSystems.has(fileSystem) ||
      mode !== regularFile ||
      flags === undefined ||
      (flags & transformedInode) !== 0 ||
      number === noInode ||
      !Number.isSafeInteger(number)
    ) {
      return noFile;
    }
    const volume = this.#volumeOf(superBlock, () => {
      const device = this.#pointer('super_block', superBlock, 's_bdev');
      const blockSize = Number(this.#long('super_block', superBlock, 's_blocksize') ?? 0n);
      return this.#volumeOn(device, fileSystem, blockSize);
    });
    return volume === undefined ? noFile : this.#addRow(number, volume);
  }

  /** A block device's inode lies in one struct with the device itself (block/bdev.c, struct bdev_inode). */
  #addDevice(inode: bigint, mapping: bigint): number {
    const { btf } = this.#kernel;
    const inodeAt = btf.struct('bdev_inode')?.member('vfs_inode')?.offsetBytes;
    const deviceAt = btf.struct('bdev_inode')?.member('bdev')?.offsetBytes;
    if (inodeAt === undefined || deviceAt === undefined) {
      return noFile;
    }
    const device = BigInt.asUintN(64, inode + BigInt(deviceAt - inodeAt));
    // `bd_mapping` since 6.10, `bd_inode` before.
    const pointsBack =
      this.#pointer('block_device', device, 'bd_mapping') === mapping ||
      this.#pointer('block_device', device, 'bd_inode') === inode;
    const number = this.#word('block_device', device, 'bd_dev');
    if (!pointsBack || number === undefined || number !== this.#word('inode', inode, 'i_rdev')) {
      return noFile;
    }
    const volume = this.#volumeOf(device, () =>
      this.#volumeOn(device, blockDeviceFileSystem, sectorBytes),
    );
    return volume === undefined ? noFile : this.#addRow(noInode, volume);
  }

  #addRow(inode: number, volume: number): number {
    this.inode.push(inode);
    this.volume.push(volume);
    return this.inode.length - 1;
  }

  #volumeOf(key: bigint, make: () => PlacedVolume | undefined): number | undefined {
    if (!this.#volumeRows.has(key)) {
      if (this.#volumeRows.size >= volumeLimit) {
        return undefined;
      }
      const volume = make();
      this.#volumeRows.set(key, volume === undefined ? undefined : this.volumes.push(volume) - 1);
    }
    return this.#volumeRows.get(key);
  }

  #volumeOn(
    device: bigint | undefined,
    fileSystem: string,
    blockSizeBytes: number,
  ): PlacedVolume | undefined {
    const disk =
      device === undefined ? undefined : this.#pointer('block_device', device, 'bd_disk');
    const nameAt = this.#offset('gendisk', 'disk_name');
    const startSector = device === undefined ? undefined : this.#startSector(device);
    if (
      device === undefined ||
      disk === undefined ||
      nameAt === undefined ||
      startSector === undefined
    ) {
      return undefined;
    }
    const name = this.#kernel.memory.string(disk + BigInt(nameAt));
    const startBytes = Number(startSector) * sectorBytes;
    const isSound =
      name !== undefined &&
      virtualDisk.test(name) &&
      Number.isSafeInteger(startBytes) &&
      blockSizeBytes >= sectorBytes &&
      Number.isInteger(Math.log2(blockSizeBytes));
    return isSound ? { fileSystem, disk: name, startBytes, blockSizeBytes, device } : undefined;
  }

  /**
   * The first sector of the partition on its disk, in 512 bytes: in the device itself since 5.11, in a struct hd_struct
   * before.
   */
  #startSector(device: bigint): bigint | undefined {
    if (this.#offset('block_device', 'bd_start_sect') !== undefined) {
      return this.#long('block_device', device, 'bd_start_sect');
    }
    const partition = this.#pointer('block_device', device, 'bd_part');
    return partition === undefined ? undefined : this.#long('hd_struct', partition, 'start_sect');
  }

  #fileSystemOf(superBlock: bigint | undefined): string | undefined {
    const type =
      superBlock === undefined ? undefined : this.#pointer('super_block', superBlock, 's_type');
    const name = type === undefined ? undefined : this.#pointer('file_system_type', type, 'name');
    return name === undefined ? undefined : this.#kernel.memory.string(name);
  }

  #offset(struct: string, member: string): number | undefined {
    return this.#kernel.btf.struct(struct)?.member(member)?.offsetBytes;
  }

  #long(struct: string, address: bigint, member: string): bigint | undefined {
    const offset = this.#offset(struct, member);
    return offset === undefined ? undefined : this.#kernel.memory.u64(address + BigInt(offset));
  }

  /** Undefined for a null pointer too. */
  #pointer(struct: string, address: bigint, member: string): bigint | undefined {
    const value = this.#long(struct, address, member);
    return value === 0n ? undefined : value;
  }

  /** The four bytes from where the member begins. */
  #word(struct: string, address: bigint, member: string): number | undefined {
    const offset = this.#offset(struct, member);
    return offset === undefined ? undefined : this.#kernel.memory.u32(address + BigInt(offset));
  }
}
