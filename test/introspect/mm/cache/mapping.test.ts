// Whether a file is proven to be readable again: every link of the chain, broken one at a time.
import { mappingKinds, Mappings } from '../../../../introspect/mm/cache/mapping.js';
import { withTypes } from '../../changed-types.js';
import { FakeKernel, type FileAddresses, type FileSpec } from '../../fake-kernel.js';

const { blockDevice, diskFile, memoryFile, unproven } = mappingKinds;

function verdict(fake: FakeKernel, address: bigint): { kind: number; pageCount: number } {
  const mappings = new Mappings(fake.kernel);
  const row = mappings.find(Number(address & 0xffff_ffffn), Number(address >> 32n));
  return { kind: mappings.kind[row], pageCount: mappings.pageCount[row] };
}

function verdictOf(spec: FileSpec, damage?: (fake: FakeKernel, file: FileAddresses) => void) {
  const fake = new FakeKernel();
  const file = fake.addFile(spec);
  damage?.(fake, file);
  return verdict(fake, file.mapping);
}

test.each<[string, FileSpec]>([
  ['ext4 on a virtio disk', {}],
  ['ext2 on a SCSI disk', { fileSystem: 'ext2', disk: 'sdab' }],
  ['ext3 on an NVMe disk', { fileSystem: 'ext3', disk: 'nvme0n1' }],
  ['ext4 on a Xen disk', { disk: 'xvda' }],
  ['ext4 with large folios', { mappingFlags: 1n << 6n }],
])('a regular, linked file of %s is a file on a disk', (_, spec) => {
  expect(verdictOf(spec)).toEqual({ kind: diskFile, pageCount: 256 });
});

test.each([
  [0n, 0],
  [1n, 1],
  [4096n, 1],
  [4097n, 2],
])('a file of %i bytes has %i pages', (sizeBytes, pageCount) => {
  expect(verdictOf({ sizeBytes })).toEqual({ kind: diskFile, pageCount });
});

test('a file of negative size has no page', () => {
  expect(verdictOf({ sizeBytes: -4096n }).pageCount).toBeLessThanOrEqual(0);
});

test.each(['tmpfs', 'ramfs', 'rootfs', 'devtmpfs', 'hugetlbfs', 'secretmem', 'guest_memfd'])(
  'a file of %s is in memory only',
  (name) => {
    expect(verdictOf({ fileSystem: name, disk: undefined }).kind).toBe(memoryFile);
  },
);

test('the cache of a block device is not that of a file', () => {
  expect(verdictOf({ fileSystem: 'bdev', mode: 0o060660 })).toEqual({
    kind: blockDevice,
    pageCount: 0,
  });
});

describe('the orders that a file may have among its flags (6.12 on)', () => {
  const orders = { AS_FOLIO_ORDER_BITS: 5, AS_FOLIO_ORDER_MIN: 16, AS_FOLIO_ORDER_MAX: 21 };
  const kindWith = (mappingFlags: bigint, flags: Readonly<Record<string, number>>): number => {
    const fake = new FakeKernel();
    const { mapping } = fake.addFile({ mappingFlags });
    const kernel = withTypes(fake.kernel, { values: { mapping_flags: flags } });
    const mappings = new Mappings(kernel);
    return mappings.kind[mappings.find(Number(mapping & 0xffff_ffffn), Number(mapping >> 32n))];
  };

  test('are no doubt, and the bits around them are', () => {
    expect(kindWith(0x3ffn << 16n, orders)).toBe(diskFile);
    expect(kindWith(1n << 15n, orders)).toBe(unproven);
    expect(kindWith(1n << 26n, orders)).toBe(unproven);
    expect(kindWith(0x3ffn << 16n, {})).toBe(unproven);
  });

  // A shift by such a number takes seconds or all memory.
  test.each([64, 65, 268_435_463, 2 ** 31 - 1, -1, -(2 ** 31)])(
    'a flag of bit %i, which no word has, makes nothing harmless',
    (bit) => {
      const start = performance.now();
      expect(kindWith(1n << 6n, { AS_LARGE_FOLIO_SUPPORT: bit })).toBe(unproven);
      expect(kindWith(1n << 16n, { ...orders, AS_FOLIO_ORDER_BITS: bit })).toBe(unproven);
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );
});

test.each<[string, FileSpec]>([
  ['a folder', { mode: 0o040755 }],
  ['a block device on a file system', { mode: 0o060660 }],
  ['an inode without a type, as ext4 keeps its buddy bitmaps', { mode: 0 }],
  ['a deleted file that is still open', { linkCount: 0 }],
  ['an encrypted file', { inodeFlags: 1 << 14 }],
  ['a file under fs-verity', { inodeFlags: 1 << 16 }],
  ['a mapping that may not be evicted', { mappingFlags: 1n << 3n }],
  ['a mapping with a write error', { mappingFlags: 1n << 0n }],
  ['a mapping with a flag of a later kernel', { mappingFlags: 1n << 40n }],
  ['a file of squashfs', { fileSystem: 'squashfs' }],
  ['a file of overlayfs', { fileSystem: 'overlay', disk: undefined }],
  ['a file of NFS', { fileSystem: 'nfs4', disk: undefined }],
  ['a file of a file system whose name begins alike', { fileSystem: 'ext4dev' }],
  ['a file on a loop device', { disk: 'loop0' }],
  ['a file on device-mapper', { disk: 'dm-0' }],
  ['a file on RAID', { disk: 'md127' }],
  ['a file on zram', { disk: 'zram0' }],
  ['a file on a RAM disk', { disk: 'ram0' }],
  ['a file on a disk without a name', { disk: '' }],
  ['a file on no disk', { disk: undefined }],
])('%s is not proven', (_, spec) => {
  expect(verdictOf(spec)).toEqual({ kind: unproven, pageCount: 0 });
});

const nowhere = 0xdead_0000_0000_0100n;

test.each<[string, (fake: FakeKernel, file: FileAddresses) => void]>([
  [
    'no inode',
    (fake, { mapping }) => {
      fake.set('address_space', mapping, 'host', 0n);
    },
  ],
  [
    'an inode that is not mapped',
    (fake, { mapping }) => {
      fake.set('address_space', mapping, 'host', nowhere);
    },
  ],
  [
    'an inode that has another mapping',
    (fake, { inode, mapping }) => {
      fake.set('inode', inode, 'i_mapping', mapping + 192n);
    },
  ],
  [
    'an inode without a super block',
    (fake, { inode }) => {
      fake.set('inode', inode, 'i_sb', 0n);
    },
  ],
  [
    'a super block that is not mapped',
    (fake, { inode }) => {
      fake.set('inode', inode, 'i_sb', nowhere);
    },
  ],
  [
    'a file system that is not mapped',
    (fake, { superBlock }) => {
      fake.set('super_block', superBlock, 's_type', nowhere);
    },
  ],
  [
    'a disk that is not mapped',
    (fake, { superBlock }) => {
      fake.set('super_block', superBlock, 's_bdev', nowhere);
    },
  ],
])('a mapping with %s is not proven', (_, damage) => {
  expect(verdictOf({}, damage).kind).toBe(unproven);
});

test.each([
  ['that is not mapped', nowhere],
  ['that is null', 0n],
  ['in user memory', 0x7fff_1234_5000n],
])('a pointer %s is not proven', (_, address) => {
  expect(verdict(new FakeKernel(), address).kind).toBe(unproven);
});

test('an address that only resembles that of a file is not taken for it', () => {
  const fake = new FakeKernel();
  const { mapping } = fake.addFile();
  const low = Number(mapping & 0xffff_ffffn);
  const high = Number(mapping >> 32n);
  // Page tables do not look at the uppermost 16 bits.
  const other = (high & 0xffff) | 0x7fff_0000;
  for (const order of [
    [high, other],
    [other, high],
  ]) {
    const mappings = new Mappings(fake.kernel);
    const kinds = order.map((half) => [half, mappings.kind[mappings.find(low, half)]]);
    expect(new Map(kinds as [number, number][]).get(other)).toBe(unproven);
  }
});

test('many files keep their own verdicts', () => {
  const fake = new FakeKernel();
  const files = Array.from({ length: 600 }, (_, index) =>
    fake.addFile(index % 3 === 0 ? { linkCount: 0 } : { sizeBytes: BigInt(index * 4096) }),
  );
  const mappings = new Mappings(fake.kernel);
  const rows = (): readonly number[] =>
    files.map(({ mapping }) =>
      mappings.find(Number(mapping & 0xffff_ffffn), Number(mapping >> 32n)),
    );
  const first = rows();
  expect(rows()).toEqual(first);
  expect(first.map((row) => [mappings.kind[row], mappings.pageCount[row]])).toEqual(
    files.map((_, index) => (index % 3 === 0 ? [unproven, 0] : [diskFile, index])),
  );
});
