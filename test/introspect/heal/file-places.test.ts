// Where the kernel's structures say that cached pages lie on disks: every link of the chain, broken one at a time, in a
// fake kernel; and what a real guest's image gives when any of it is damaged.
import * as fc from 'fast-check';
import { type FilePlaces, findFilePlaces } from '../../../introspect/heal/file-places.js';
import type { Btf } from '../../../introspect/kernel/btf/btf.js';
import { decodeBtf } from '../../../introspect/kernel/btf/decode.js';
import type { Kernel } from '../../../introspect/kernel/kernel.js';
import { classify } from '../../../introspect/label/classify.js';
import { findKernel } from '../../../introspect/label/find-kernel.js';
import { openRawFile } from '../../../introspect/memory/formats/raw-file.js';
import type { MemoryImage } from '../../../introspect/memory/memory-image.js';
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../../introspect/page-class.js';
import { fixtureGuest } from '../../guest/fixtures.js';
import { PatchedMemory } from '../damage/patched-memory.js';
import { Places } from '../damage/places.js';
import {
  FakeKernel,
  type FileAddresses,
  type FileSpec,
  firstOrdinaryPfn as first,
  frameCount,
} from '../fake-kernel.js';
import { BtfEncoder } from '../kernel/btf/btf-encoder.js';
import type { Era } from '../kernel-types.js';
import { compound, maskedCompound, type StructPage } from '../mm/struct-page.js';

const startSector = 2048n;
const clean: StructPage = { flags: ['PG_lru', 'PG_uptodate'] };
const withBuffers: StructPage = { flags: ['PG_lru', 'PG_uptodate', 'PG_private'] };
const mappedBit = 5;

/** Offsets of members that the fake kernel's own types do not have. */
const at = {
  inodeNumber: 88n,
  inodeDevice: 96n,
  blockSize: 24n,
  startSector: 0n,
  deviceNumber: 24n,
  deviceMapping: 32n,
  deviceInode: 40n,
  partition: 48n,
} as const;
const bufferBytes = 96;

/** The fake kernel's types, and those that lead to the disk, as kernels of that time have them. */
function diskTypes(base: Btf, era: Era): Btf {
  const encoder = new BtfEncoder();
  const u16 = encoder.int('unsigned short', 2);
  const u32 = encoder.int('unsigned int', 4);
  const u64 = encoder.int('unsigned long', 8);
  const struct = (name: string, size: number, members: Record<string, [number, bigint | number]>) =>
    encoder.struct(
      name,
      size,
      Object.entries(members).map(([member, [type, offset]]) => ({
        name: member,
        type,
        offsetBits: Number(offset) * 8,
      })),
    );
  const inode = struct('inode', 600, {
    i_mode: [u16, 0],
    i_flags: [u32, 12],
    i_sb: [u64, 40],
    i_mapping: [u64, 48],
    i_nlink: [u32, 72],
    i_size: [u64, 80],
    i_ino: [u64, at.inodeNumber],
    i_rdev: [u32, at.inodeDevice],
  });
  struct('super_block', 1024, {
    s_blocksize: [u64, at.blockSize],
    s_type: [u64, 40],
    s_bdev: [u64, 200],
  });
  const device = struct('block_device', 256, {
    ...(era === '5.10'
      ? { bd_part: [u64, at.partition] }
      : { bd_start_sect: [u64, at.startSector] }),
    ...(era === '7.3'
      ? { bd_mapping: [u64, at.deviceMapping] }
      : { bd_inode: [u64, at.deviceInode] }),
    bd_dev: [u32, at.deviceNumber],
    bd_disk: [u64, 64],
  });
  struct('hd_struct', 16, { start_sect: [u64, 0] });
  struct('bdev_inode', 856, { bdev: [device, 0], vfs_inode: [inode, 256] });
  struct('buffer_head', bufferBytes, {
    b_state: [u64, 0],
    b_this_page: [u64, 8],
    b_blocknr: [u64, 24],
    b_size: [u64, 32],
    b_data: [u64, 40],
    b_bdev: [u64, 48],
  });
  encoder.enumeration('bh_state_bits', { BH_Uptodate: 0, BH_Mapped: mappedBit });
  const result = decodeBtf(encoder.encode());
  if (!result.ok) {
    throw new Error(result.reason);
  }
  const added = result.btf;
  const joined: Pick<Btf, 'struct' | 'enumeration' | 'typeCount'> = {
    typeCount: base.typeCount,
    struct: (name) => added.struct(name) ?? base.struct(name),
    enumeration: (name) => added.enumeration(name) ?? base.enumeration(name),
  };
  return joined as Btf;
}

interface DiskFile extends FileAddresses {
  readonly device: bigint;
}

class DiskKernel extends FakeKernel {
  readonly diskKernel: Kernel;
  readonly labels = new Uint8Array(frameCount);
  readonly #diskEra: Era;

  constructor(era: Era = '6.1') {
    super({ era });
    this.#diskEra = era;
    this.diskKernel = { ...this.kernel, btf: diskTypes(this.btf, era) };
  }

  /** Inode 12 on a partition from sector 2048 with blocks of 4 KiB. */
  addDiskFile(spec: FileSpec = {}): DiskFile {
    const file = this.addFile(spec);
    const device = this.getU64(this.memberAt('super_block', file.superBlock, 's_bdev'));
    this.setU64(file.inode + at.inodeNumber, 12n);
    this.setU64(file.superBlock + at.blockSize, 4096n);
    if (device !== 0n) {
      this.#setStart(device);
    }
    return { ...file, device };
  }

  /** The cache of the partition itself: its inode lies in one struct with the device. */
  addDeviceFile(): DiskFile {
    const source = this.addDiskFile();
    const file = this.addFile({ fileSystem: 'bdev', disk: undefined, mode: 0o060660 });
    const both = this.allocateBytes(856);
    const inode = both + 256n;
    const copy = (from: bigint, to: bigint, sizeBytes: number): void => {
      const start = this.gpaOf(from);
      this.ram.bytes.copy(this.ram.bytes, this.gpaOf(to), start, start + sizeBytes);
    };
    copy(source.device, both, 256);
    copy(file.inode, inode, 600);
    this.setU64(file.mapping, inode);
    this.setU64(both + at.deviceNumber, 0xfd0_0001n);
    this.setU64(inode + at.inodeDevice, 0xfd0_0001n);
    if (this.#diskEra === '7.3') {
      this.setU64(both + at.deviceMapping, file.mapping);
    } else {
      this.setU64(both + at.deviceInode, inode);
    }
    return { ...file, inode, device: both };
  }

  /** A circle of buffers over a folio from `pfn`, with these block numbers; the address of the first. */
  addBuffers(
    pfn: number,
    sizeBytes: number,
    blocks: readonly (number | undefined)[],
    device: bigint,
  ): bigint {
    const buffers = blocks.map(() => this.allocateBytes(bufferBytes));
    blocks.forEach((block, index) => {
      const buffer = buffers[index];
      this.setU64(buffer, block === undefined ? 1n : (1n << BigInt(mappedBit)) | 1n);
      this.setU64(buffer + 8n, buffers[(index + 1) % buffers.length]);
      this.setU64(buffer + 24n, BigInt(block ?? -1));
      this.setU64(buffer + 32n, BigInt(sizeBytes));
      this.setU64(buffer + 40n, 0xffff_8880_0000_0000n + BigInt(pfn * 4096 + index * sizeBytes));
      this.setU64(buffer + 48n, device);
    });
    return buffers[0];
  }

  /** Pages of the cache, labelled as clean. */
  cache(pfn: number, pages: readonly StructPage[], label = labelNumbers['file-clean']): void {
    this.setPages(pfn, pages);
    this.labels.fill(label, pfn, pfn + pages.length);
  }

  /** `private` as a whole word, which a struct page of the tests has half of. */
  setPrivate(pfn: number, value: bigint): void {
    this.setU64(this.structPageAddress(pfn) + 40n, value);
  }

  places(): FilePlaces {
    return findFilePlaces(this.diskKernel, this.labels);
  }

  #setStart(device: bigint): void {
    if (this.#diskEra === '5.10') {
      const partition = this.allocateBytes(16);
      this.setU64(partition, startSector);
      this.setU64(device + at.partition, partition);
    } else {
      this.setU64(device + at.startSector, startSector);
    }
  }
}

function rowsOf({ page, pageInFile, bufferOffsetBytes }: FilePlaces) {
  return Array.from(page, (index, row) => [index, pageInFile[row], bufferOffsetBytes[row]]);
}

describe.each(['5.10', '6.1', '7.3'] as const)('a kernel like %s', (era) => {
  test('leads from a page to inode, partition and disk', () => {
    const fake = new DiskKernel(era);
    const { mapping } = fake.addDiskFile();
    fake.cache(first + 3, [{ ...clean, mapping, index: 7n }]);
    expect(fake.places()).toEqual({
      page: Uint32Array.of(first + 3),
      label: Uint8Array.of(labelNumbers['file-clean']),
      file: Uint32Array.of(0),
      pageInFile: Uint32Array.of(7),
      bufferOffsetBytes: Float64Array.of(-1),
      fileInode: Float64Array.of(12),
      fileVolume: Uint32Array.of(0),
      volumes: [{ fileSystem: 'ext4', disk: 'vda', startBytes: 2 ** 20, blockSizeBytes: 4096 }],
    });
  });

  test('leads from a page of the partition itself to its place there', () => {
    const fake = new DiskKernel(era);
    const { mapping } = fake.addDeviceFile();
    fake.cache(first, [{ ...clean, mapping, index: 9n }], labelNumbers['block-device']);
    const places = fake.places();
    expect(rowsOf(places)).toEqual([[first, 9, -1]]);
    expect([...places.fileInode]).toEqual([0]);
    expect(places.volumes).toMatchObject([{ fileSystem: 'bdev', startBytes: 2 ** 20 }]);
  });

  test('has every page of a large folio follow its head, in the file and on the device', () => {
    const fake = new DiskKernel(era);
    const { mapping, device } = fake.addDiskFile();
    const head: StructPage = { ...withBuffers, mapping, index: 100n, refcount: 4 };
    const pfn = first + 8;
    if (era === '7.3') {
      fake.cache(pfn, maskedCompound(head, 2));
    } else {
      fake.cache(pfn, compound(head, 2, fake.structPageAddress(pfn)));
    }
    fake.setPrivate(pfn, fake.addBuffers(pfn, 4096, [50, 51, undefined, 9], device));
    expect(rowsOf(fake.places())).toEqual([
      [pfn, 100, 50 * 4096],
      [pfn + 1, 101, 51 * 4096],
      [pfn + 2, 102, -1],
      [pfn + 3, 103, 9 * 4096],
    ]);
  });
});

/** What becomes of a clean page at the first frame when `damage` is done. */
function placesWith(
  spec: FileSpec,
  damage?: (fake: DiskKernel, file: DiskFile) => void,
): readonly (readonly number[])[] {
  const fake = new DiskKernel();
  const file = fake.addDiskFile(spec);
  fake.cache(first, [{ ...clean, mapping: file.mapping, index: 1n }]);
  damage?.(fake, file);
  return rowsOf(fake.places());
}

test.each<[string, FileSpec]>([
  ['xfs', { fileSystem: 'xfs', disk: 'sda' }],
  ['a file without a name any more', { linkCount: 0 }],
  ['a disk of NVMe', { disk: 'nvme0n1' }],
])('%s has a place', (_, spec) => {
  expect(placesWith(spec)).toEqual([[first, 1, -1]]);
});

test.each<[string, FileSpec]>([
  ['btrfs, whose bytes lie elsewhere', { fileSystem: 'btrfs' }],
  ['a file in memory alone', { fileSystem: 'tmpfs', disk: undefined }],
  ['a file system on device mapper', { disk: 'dm-0' }],
  ['a file system on a loop device', { disk: 'loop0' }],
  ['an encrypted file', { inodeFlags: 1 << 14 }],
  ['what is no regular file', { mode: 0 }],
])('%s has none', (_, spec) => {
  expect(placesWith(spec)).toEqual([]);
});

test.each<[string, (fake: DiskKernel, file: DiskFile) => void]>([
  [
    'inode 0',
    (fake, { inode }) => {
      fake.setU64(inode + at.inodeNumber, 0n);
    },
  ],
  [
    'an inode beyond numbers',
    (fake, { inode }) => {
      fake.setU64(inode + at.inodeNumber, 1n << 60n);
    },
  ],
  [
    'an inode that does not point back',
    (fake, { inode }) => {
      fake.setU64(inode + 48n, 0n);
    },
  ],
  [
    'a mapping that leads nowhere',
    (fake, { mapping }) => {
      fake.setU64(mapping, 0x1000n);
    },
  ],
  [
    'a super block that leads nowhere',
    (fake, { inode }) => {
      fake.setU64(inode + 40n, 8n);
    },
  ],
  [
    'no device',
    (fake, { superBlock }) => {
      fake.setU64(superBlock + 200n, 0n);
    },
  ],
  [
    'no disk',
    (fake, { device }) => {
      fake.setU64(device + 64n, 0n);
    },
  ],
  [
    'a partition beyond numbers',
    (fake, { device }) => {
      fake.setU64(device, 1n << 62n);
    },
  ],
  [
    'blocks of an odd size',
    (fake, { superBlock }) => {
      fake.setU64(superBlock + at.blockSize, 4097n);
    },
  ],
  [
    'a place in the file beyond 16 TiB',
    (fake) => {
      fake.setU64(fake.structPageAddress(first) + 32n, 1n << 32n);
    },
  ],
  ['another label', (fake) => fake.labels.fill(labelNumbers['file-dirty'])],
])('%s has none', (_, damage) => {
  expect(placesWith({}, damage)).toEqual([]);
});

test.each<[string, (fake: DiskKernel, file: DiskFile) => void]>([
  [
    'an inode that is not its own',
    (fake, { device }) => {
      fake.setU64(device + at.deviceInode, 1n);
    },
  ],
  [
    'another number',
    (fake, { inode }) => {
      fake.setU64(inode + at.inodeDevice, 7n);
    },
  ],
  [
    'the mode of a file',
    (fake, { inode }) => {
      fake.setU64(inode, 0o100644n);
    },
  ],
])('a block device with %s has no place', (_, damage) => {
  const fake = new DiskKernel();
  const file = fake.addDeviceFile();
  fake.cache(first, [{ ...clean, mapping: file.mapping }], labelNumbers['block-device']);
  expect(fake.places().page).toHaveLength(1);
  damage(fake, file);
  expect(fake.places().page).toHaveLength(0);
});

test.each(['PG_dirty', 'PG_writeback', 'PG_locked'] as const)(
  'a page of a device with %s has no place',
  (flag) => {
    const fake = new DiskKernel();
    const { mapping } = fake.addDeviceFile();
    const page: StructPage = { flags: ['PG_lru', 'PG_uptodate', flag], mapping };
    fake.cache(first, [page, { ...clean, mapping, index: 1n }], labelNumbers['block-device']);
    expect(rowsOf(fake.places())).toEqual([[first + 1, 1, -1]]);
  },
);

describe('buffers', () => {
  /** The place found for a page in four blocks of 1 KiB. */
  function offsetWith(
    blocks: readonly (number | undefined)[],
    damage?: (fake: DiskKernel, buffer: bigint) => void,
    spec: FileSpec = {},
  ): number {
    const fake = new DiskKernel();
    const { mapping, device } = fake.addDiskFile(spec);
    fake.cache(first, [{ ...withBuffers, mapping }]);
    const buffer = fake.addBuffers(first, 4096 / blocks.length, blocks, device);
    fake.setPrivate(first, buffer);
    damage?.(fake, buffer);
    return fake.places().bufferOffsetBytes[0];
  }

  test('one behind the other say where the page lies', () => {
    expect(offsetWith([80, 81, 82, 83])).toBe(80 * 1024);
    expect(offsetWith([7])).toBe(7 * 4096);
    expect(offsetWith([0, 1, 2, 3, 4, 5, 6, 7])).toBe(0);
  });

  test.each<[string, readonly (number | undefined)[]]>([
    ['in another order', [81, 80, 82, 83]],
    ['with one elsewhere', [80, 81, 82, 90]],
    ['with one on no disk yet', [80, undefined, 82, 83]],
    ['with the first on no disk yet', [undefined, 81, 82, 83]],
    ['with the last on no disk yet', [80, 81, 82, undefined]],
  ])('%s say nothing', (_, blocks) => {
    expect(offsetWith(blocks)).toBe(-1);
  });

  test.each<[string, (fake: DiskKernel, buffer: bigint) => void]>([
    [
      'that end',
      (fake, buffer) => {
        fake.setU64(buffer + 8n, 0n);
      },
    ],
    [
      'that lead nowhere',
      (fake, buffer) => {
        fake.setU64(buffer + 8n, 0xdead_0000_0000_0000n);
      },
    ],
    [
      'that go in a circle too soon',
      (fake, buffer) => {
        fake.setU64(buffer + 8n, buffer);
      },
    ],
    [
      "that are not the folio's size",
      (fake, buffer) => {
        fake.setU64(buffer + 32n, 3000n);
      },
    ],
    [
      'of no size',
      (fake, buffer) => {
        fake.setU64(buffer + 32n, 0n);
      },
    ],
    [
      'of endless size',
      (fake, buffer) => {
        fake.setU64(buffer + 32n, 1n << 63n);
      },
    ],
    [
      'of another page',
      (fake, buffer) => {
        fake.setU64(buffer + 40n, 0xffff_8880_0000_0400n);
      },
    ],
    [
      'on another device',
      (fake, buffer) => {
        fake.setU64(buffer + 48n, buffer);
      },
    ],
    [
      'at an endless block',
      (fake, buffer) => {
        fake.setU64(buffer + 24n, (1n << 63n) - 1n);
      },
    ],
    [
      'that are none',
      (fake) => {
        fake.setPrivate(first, 0n);
      },
    ],
  ])('%s say nothing', (_, damage) => {
    expect(offsetWith([80, 81, 82, 83], damage)).toBe(-1);
  });

  test('are not looked for where a file system keeps something else', () => {
    expect(offsetWith([80, 81, 82, 83], undefined, { fileSystem: 'xfs' })).toBe(-1);
  });
});

test('a tail whose head is not before it has no place', () => {
  const fake = new DiskKernel();
  const { mapping } = fake.addDiskFile();
  fake.cache(first, compound({ ...clean, mapping }, 2, fake.structPageAddress(first)));
  fake.setPage(first, { mapping, compoundHead: 1n });
  expect(fake.places().page).toHaveLength(0);
});

test('types that lack what leads to a disk give no place and no failure', () => {
  const fake = new FakeKernel();
  const { mapping } = fake.addFile();
  fake.setPage(first, { ...clean, mapping });
  const labels = new Uint8Array(frameCount).fill(labelNumbers['file-clean']);
  expect(findFilePlaces(fake.kernel, labels).page).toHaveLength(0);
});

describe("a real guest's image", () => {
  const runCount = 30 * Number(process.env['PARS_FUZZ_RUNS'] ?? 1);
  let original: MemoryImage;
  let memory: PatchedMemory;
  let kernel: Kernel;
  let places: Places;
  let labels: Uint8Array;

  beforeAll(async () => {
    const fixture = await fixtureGuest('newest');
    original = openRawFile(fixture.ramPath);
    memory = new PatchedMemory(original.views[0]);
    const found = findKernel({ ...original, views: [memory] });
    if (!found.found) {
      throw new Error(found.reason);
    }
    ({ kernel } = found);
    places = new Places(found);
    ({ labels } = classify(found));
  }, 300_000);
  afterAll(() => {
    original.close();
  });

  test('with any struct pages overwritten is read to its end', () => {
    const intact = findFilePlaces(kernel, labels);
    const { structPageBytes, base } = places.memmap;
    const overwritten = fc.record({
      row: fc.nat(intact.page.length - 1),
      pageCount: fc.integer({ min: 1, max: 16 }),
      seed: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    });
    fc.assert(
      fc.property(fc.array(overwritten, { minLength: 1, maxLength: 20 }), (damages) => {
        memory.patches = damages.map(({ row, pageCount, seed }) => ({
          offset: places.of(base + BigInt(intact.page[row] * structPageBytes)),
          bytes: Buffer.alloc(pageCount * structPageBytes, seed),
        }));
        const found = findFilePlaces(kernel, labels);
        memory.patches = [];
        expect(found.page.length).toBeLessThanOrEqual(intact.page.length);
      }),
      { numRuns: runCount },
    );
  });

  test('with kernel objects overwritten is read to its end', () => {
    const slab = labels.reduce<number[]>(
      (list, label, page) => (label === labelNumbers.slab ? [...list, page] : list),
      [],
    );
    fc.assert(
      fc.property(
        fc.array(fc.nat(slab.length - 1), { maxLength: 400 }),
        fc.uint8Array({ minLength: 8, maxLength: 64 }),
        (rows, seed) => {
          memory.patches = rows.map((row) => ({
            offset: slab[row] * pageSizeBytes,
            bytes: Buffer.alloc(pageSizeBytes, seed),
          }));
          const found = findFilePlaces(kernel, labels);
          memory.patches = [];
          expect(found.fileInode.length).toBeLessThan(100_000);
        },
      ),
      { numRuns: runCount },
    );
  });
});
