import { findProblem } from '../../src/manifest/check.js';
import type {
  DiskSpace,
  Manifest,
  ManifestHeader,
  RamSpace,
  SnapshotFrames,
} from '../../src/manifest/types.js';
import {
  healingKeys,
  sampleDisk,
  sampleId,
  sampleManifest,
  sampleRam as ram,
  sampleWithDisk,
} from './sample-manifest.js';
import { readBack, written } from './written.js';

function withHeader(change: Partial<ManifestHeader>): Manifest {
  return { ...sampleManifest, header: { ...sampleManifest.header, ...change } };
}

function withSpace(change: Partial<RamSpace>): Manifest {
  return { ...sampleManifest, spaces: [{ ...ram, ...change }] };
}

function withFrames(change: Partial<SnapshotFrames>): Manifest {
  return { ...sampleManifest, frames: { ...sampleManifest.frames, ...change } };
}

function withPlaces(change: Partial<RamSpace['places']>): Manifest {
  return withSpace({ places: { ...ram.places, ...change } });
}

function withRuns(label: number[], pageCount: number[], firstPage: number[]): Manifest {
  return withSpace({
    labelRuns: {
      label: Uint8Array.from(label),
      pageCount: Uint32Array.from(pageCount),
      firstPage: Uint32Array.from(firstPage),
    },
  });
}

function withDisk(change: Partial<DiskSpace>): Manifest {
  return { ...sampleWithDisk, spaces: [ram, { ...sampleDisk, ...change }] };
}

/** What the header of a snapshot of nothing has. */
const nothing = { labelCounts: {}, imageSizeBytes: 0 };
const [critical, expendable] = sampleManifest.header.packs;
const [state] = sampleManifest.header.attachments;

test('the sample hangs together', () => {
  expect(findProblem(sampleManifest)).toBeUndefined();
  expect(findProblem(sampleWithDisk)).toBeUndefined();
});

test.each<[string, RegExp, Manifest]>([
  ['two packs of one name', /two packs are named/, withHeader({ packs: [critical, critical] })],
  ['two attachments of one role', /the role state/, withHeader({ attachments: [state, state] })],
  [
    'a legend with one label twice',
    /names free twice/,
    withHeader({ legend: ['free', 'x', 'free'] }),
  ],
  ['an image of another size', /imageSizeBytes is 4096/, withHeader({ imageSizeBytes: 4096 })],
  [
    'label counts that are not those of the runs',
    /labelCounts has 4 pages of free, the label runs have 3/,
    withHeader({ labelCounts: { critical: 127, free: 4 } }),
  ],
  [
    'a label count that the legend does not name',
    /labelCounts names odd/,
    withHeader({ labelCounts: { critical: 127, free: 3, odd: 0 } }),
  ],
  [
    'a region that is not made of pages',
    /region at 0 of 100 bytes is not made of whole pages/,
    withSpace({ regions: [{ start: 0, sizeBytes: 100 }] }),
  ],
  [
    'regions that overlap',
    /region at 4096 begins before byte 8192/,
    withSpace({
      regions: [
        { start: 0, sizeBytes: 8192 },
        { start: 4096, sizeBytes: 4096 },
      ],
    }),
  ],
  [
    'more pages than a space may have',
    /at most 268435456 are possible/,
    withSpace({ regions: [{ start: 0, sizeBytes: 2 ** 41 }] }),
  ],
  ['label runs that end early', /cover 129 pages/, withRuns([0, 2], [126, 3], [0, 126])],
  ['label runs that go on', /cover 131 pages/, withRuns([0, 2], [128, 3], [0, 128])],
  ['an empty label run', /label run 1 is empty/, withRuns([0, 2], [130, 0], [0, 130])],
  [
    'a label run out of place',
    /begins at page 126, expected 127/,
    withRuns([0, 2], [127, 3], [0, 126]),
  ],
  ['a label beyond the legend', /has label 3, the legend names 3/, withRuns([3], [130], [0])],
  [
    'frame columns that differ in length',
    /columns of the frames differ/,
    withFrames({ pack: Uint32Array.of(0) }),
  ],
  [
    'place columns that differ in length',
    /columns of the places differ/,
    withPlaces({ slot: Uint8Array.of(0) }),
  ],
  [
    'places out of order',
    /place 2 is not in the order of windows/,
    withPlaces({ window: Uint32Array.of(1, 1, 0, 2) }),
  ],
  [
    'a page in two places',
    /place 1 has a page of window 0 that another place has/,
    withPlaces({ maskLow: Uint32Array.of(0xffffffe1, 0x20, 0xffffffff, 3) }),
  ],
  [
    'a place without pages',
    /place 1 has no page/,
    withPlaces({ maskLow: Uint32Array.of(0xffffffe1, 0, 0xffffffff, 3) }),
  ],
  [
    'a place with pages beyond the last',
    /place 3 has pages beyond the 130/,
    withPlaces({ maskLow: Uint32Array.of(0xffffffe1, 0x1c, 0xffffffff, 7) }),
  ],
  [
    'a place of a window beyond the last',
    /place 3 has pages beyond the 130/,
    withPlaces({ window: Uint32Array.of(0, 0, 1, 3) }),
  ],
  [
    'a place in a frame that is not there',
    /place 1 is in frame 4, there are 4/,
    withPlaces({ frame: Uint32Array.of(0, 4, 2, 3) }),
  ],
  [
    'a place with more pages than its frame',
    /place 1 is pages 1 to 4 of frame 1, which has 3/,
    withPlaces({ slot: Uint8Array.of(0, 1, 0, 0) }),
  ],
  [
    'a frame without pages',
    /frame 1 has 0 pages, expected 1 to 64/,
    withFrames({ pageCount: Uint8Array.of(60, 0, 64, 2) }),
  ],
  [
    'a frame of too many pages',
    /frame 1 has 65 pages, expected 1 to 64/,
    withFrames({ pageCount: Uint8Array.of(60, 65, 64, 2) }),
  ],
  [
    'a frame longer than its pages',
    /frame 3 is 8225 bytes long for 2 pages/,
    withFrames({ length: Uint32Array.of(90_000, 8000, 190_000, 8225) }),
  ],
  [
    'a frame that is all header',
    /frame 1 is 20 bytes long/,
    withFrames({ length: Uint32Array.of(90_000, 20, 190_000, 8212) }),
  ],
  [
    'a frame in a pack that is not there',
    /frame 1 lies in pack 2, there are 2/,
    withFrames({ pack: Uint32Array.of(0, 2, 0, 0) }),
  ],
  [
    'a frame beyond the end of its pack',
    new RegExp(`bytes 32 to 8032 of packs/${sampleId}/000001.pack, which has 8031`),
    withHeader({ packs: [critical, { ...expendable, sizeBytes: 8031 }] }),
  ],
  [
    'a frame within the header of its pack',
    /frame 1 lies at bytes 31 to/,
    withFrames({ offset: Uint32Array.of(32, 31, 100_000, 290_000) }),
  ],
  [
    'struct pages out of order',
    /struct pages of frame 3 are out of order/,
    withSpace({
      healing: {
        ...healingKeys.healing,
        memmapRuns: [
          { firstPfn: 0, pageCount: 4, gpa: 0 },
          { firstPfn: 3, pageCount: 1, gpa: 4096 },
        ],
      },
    }),
  ],
  [
    'a page on a disk twice',
    /page 6 on a disk is out of order/,
    withSpace({ diskHeld: { ...healingKeys.diskHeld, page: Uint32Array.of(6, 6, 7) } }),
  ],
  [
    'a page on a disk beyond the last page',
    /page 130 on a disk is beyond the space/,
    withSpace({ diskHeld: { ...healingKeys.diskHeld, page: Uint32Array.of(6, 7, 130) } }),
  ],
  [
    'a page on a disk that is not there',
    /page 7 is on disk 1, there are 1/,
    withSpace({ diskHeld: { ...healingKeys.diskHeld, disk: Uint8Array.of(0, 1, 0) } }),
  ],
  [
    'a page beyond the end of its disk',
    /page 6 is at byte 8192 of vda, which ends before/,
    withSpace({
      diskHeld: { ...healingKeys.diskHeld, disks: [{ name: 'vda', sizeBytes: 8192 + 4095 }] },
    }),
  ],
  [
    'a label that is not stored and has no name',
    /label 3 is not stored, the legend names 3/,
    withSpace({ notStored: [3] }),
  ],
  ['no space at all', /neither RAM nor a disk/, { ...withHeader(nothing), spaces: [] }],
  [
    'two spaces of RAM',
    /two spaces are RAM/,
    {
      ...withHeader({ labelCounts: { critical: 254, free: 6 } }),
      spaces: [ram, { ...ram, name: 'ram-2' }],
    },
  ],
  ['RAM under another name', /RAM is the space main, expected ram/, withSpace({ name: 'main' })],
  ['two spaces of one name', /two spaces are named ram/, withDisk({ name: 'ram' })],
  ['a disk of another name', /so disk-vda was expected/, withDisk({ name: 'disk-vdb' })],
  [
    'a disk of another size than its pages',
    /a disk of 4096 bytes has one region of 4096/,
    withDisk({ disk: { name: 'vda', sourcePath: '/a', sourceFormat: 'raw', sizeBytes: 4096 } }),
  ],
  [
    'a disk that does not begin at 0',
    /has one region of 286720 bytes from 0/,
    withDisk({ regions: [{ start: 4096, sizeBytes: 70 * 4096 }] }),
  ],
  [
    'a disk with pages that are labelled as those of RAM',
    /pages of a disk are not labelled disk/,
    {
      ...sampleWithDisk,
      header: { ...sampleWithDisk.header, labelCounts: { critical: 127, free: 73 } },
      spaces: [
        ram,
        { ...sampleDisk, labelRuns: { ...sampleDisk.labelRuns, label: Uint8Array.of(2) } },
      ],
    },
  ],
  [
    'RAM with pages that are labelled as those of a disk',
    /space ram: pages of RAM are labelled disk/,
    withHeader({ legend: ['critical', 'unused', 'disk'], labelCounts: { critical: 127, disk: 3 } }),
  ],
])('%s is found, and such a manifest is not written', (_, message, manifest) => {
  expect(findProblem(manifest)).toMatch(message);
  expect(() => written(manifest)).toThrow(message);
});

test.each([
  ['a name that leads elsewhere', /name: expected a name/, { name: '../vda' }],
  ['a hidden name', /name: expected a name/, { name: '.vda' }],
  [
    'a format that leads elsewhere',
    /disk\.sourceFormat: expected a format/,
    { sourceFormat: 'a/b' },
  ],
  ['a path beyond what Linux takes', /disk\.sourcePath/, { sourcePath: 'x'.repeat(4097) }],
  ['no bytes', /a disk of 0 bytes has one region/, { sizeBytes: 0 }],
])('a disk with %s is not written', (_, message, change) => {
  const disk = { ...sampleDisk.disk, ...change };
  expect(() => written(withDisk({ name: `disk-${disk.name}`, disk }))).toThrow(message);
});

test('a label without pages may be missing from the counts', () => {
  const legend = ['critical', 'unused', 'free', 'more'];
  expect(readBack(written(withHeader({ legend }))).header.legend).toEqual(legend);
});

test('a snapshot of disks alone hangs together', () => {
  const { header, frames } = sampleWithDisk;
  const labelCounts = { disk: 70 };
  const disksAlone: Manifest = {
    header: { ...header, labelCounts, imageSizeBytes: 0 },
    frames,
    spaces: [sampleDisk],
  };
  expect(findProblem(disksAlone)).toBeUndefined();
  expect(readBack(written(disksAlone)).spaces).toHaveLength(1);
});

test('pages may be placed more than once, also in other spaces', () => {
  const { header, frames } = sampleWithDisk;
  const shared: DiskSpace = {
    ...sampleDisk,
    places: { ...sampleDisk.places, frame: Uint32Array.of(2, 2), slot: Uint8Array.of(63, 10) },
  };
  expect(findProblem({ header, frames, spaces: [ram, shared] })).toBeUndefined();
});
