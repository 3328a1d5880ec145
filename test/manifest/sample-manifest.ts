// A small manifest with everything in it: two packs, a window in two frames, a zero page, a last window not full, a region
// above 4 GiB, an attachment.
import type { DiskSpace, Manifest, RamSpace } from '../../src/manifest/types.js';

const pageCount = 130;

/** What a manifest may say of RAM besides. */
export const healingKeys = {
  healing: {
    freeByte: 0xaa,
    structPage: {
      sizeBytes: 64,
      flagsOffset: 0,
      headOffset: 8,
      tailsHoldMask: true,
      uptodateMask: 4,
      busyMask: 0x8000_0011,
    },
    memmapBase: 0xffff_ea00_0000_0000n,
    memmapRuns: [
      { firstPfn: 0, pageCount: 64, gpa: 4096 },
      { firstPfn: 2 ** 20, pageCount: 30, gpa: 2 ** 40 },
    ],
  },
  diskHeld: {
    disks: [{ name: 'vda', sizeBytes: 2 ** 41 }],
    page: Uint32Array.of(6, 7, 129),
    disk: Uint8Array.of(0, 0, 0),
    offsetBytes: Float64Array.of(8192, 512, 2 ** 40),
    hash: Uint8Array.from({ length: 48 }, (_, index) => index),
  },
  notStored: [1],
};

/** A second space: a disk that ends within its last page, one window and a bit of it stored. */
export const sampleDisk: DiskSpace = {
  kind: 'disk',
  name: 'disk-vda',
  pageSizeBytes: 4096,
  regions: [{ start: 0, sizeBytes: 70 * 4096 }],
  labelRuns: {
    label: Uint8Array.of(3),
    firstPage: Uint32Array.of(0),
    pageCount: Uint32Array.of(70),
  },
  places: {
    window: Uint32Array.of(0, 1),
    maskLow: Uint32Array.of(1, 0x3f),
    maskHigh: Uint32Array.of(0, 0),
    frame: Uint32Array.of(4, 5),
    slot: Uint8Array.of(0, 0),
  },
  disk: {
    name: 'vda',
    sourcePath: '/vms/web 1, å/disk.qcow2',
    sourceFormat: 'qcow2',
    sizeBytes: 69 * 4096 + 512,
  },
};

/** Who wrote the packs. */
export const sampleId = '20261121aa007f3a';

export const sampleRam: RamSpace = {
  kind: 'ram',
  name: 'ram',
  pageSizeBytes: 4096,
  regions: [
    { start: 0, sizeBytes: 100 * 4096 },
    { start: 2 ** 32, sizeBytes: 30 * 4096 },
  ],
  labelRuns: {
    label: Uint8Array.of(0, 2, 0),
    firstPage: Uint32Array.of(0, 2, 5),
    pageCount: Uint32Array.of(2, 3, 125),
  },
  places: {
    window: Uint32Array.of(0, 0, 1, 2),
    maskLow: Uint32Array.of(0xffffffe1, 0x1c, 0xffffffff, 3),
    maskHigh: Uint32Array.of(0xffffffff, 0, 0xffffffff, 0),
    frame: Uint32Array.of(0, 1, 2, 3),
    slot: Uint8Array.of(0, 0, 0, 0),
  },
};

export const sampleManifest: Manifest = {
  header: {
    id: sampleId,
    vm: 'web-1',
    createdMs: 1_795_226_400_000,
    requiredFeatures: [],
    packs: [
      { name: `packs/${sampleId}/000000.pack`, sizeBytes: 300_000, replication: 3 },
      { name: `packs/${sampleId}/000001.pack`, sizeBytes: 9000, replication: 1 },
    ],
    bodies: [],
    pageHashes: [
      {
        name: `packs/${sampleId}/000000.hashes`,
        sizeBytes: 1234,
        sha256: new Uint8Array(32).fill(0xcd),
      },
    ],
    attachments: [
      {
        role: 'state',
        name: `packs/${sampleId}/state`,
        sizeBytes: 2 ** 40 + 1,
        sha256: new Uint8Array(32).fill(0xab),
      },
    ],
    guest: { release: '6.12.0-åäö', buildId: '0123456789abcdef' },
    evidence: 'complete',
    labelCounts: { critical: 127, free: 3 },
    legend: ['critical', 'unused', 'free'],
    imageSizeBytes: pageCount * 4096,
  },
  frames: {
    pack: Uint32Array.of(0, 1, 0, 0),
    offset: Uint32Array.of(32, 32, 100_000, 290_000),
    length: Uint32Array.of(90_000, 8000, 190_000, 8212),
    identity: Uint32Array.of(0x1111_1111, 0xffff_ffff, 0, 7),
    pageCount: Uint8Array.of(60, 3, 64, 2),
  },
  spaces: [sampleRam],
};

/** The sample with the disk beside its RAM. */
export const sampleWithDisk: Manifest = {
  header: {
    ...sampleManifest.header,
    packs: [
      ...sampleManifest.header.packs,
      { name: `packs/${sampleId}/000002.pack`, sizeBytes: 3000, replication: 3 },
    ],
    labelCounts: { ...sampleManifest.header.labelCounts, disk: 70 },
    legend: [...sampleManifest.header.legend, 'disk'],
  },
  frames: {
    pack: Uint32Array.of(0, 1, 0, 0, 2, 2),
    offset: Uint32Array.of(32, 32, 100_000, 290_000, 32, 1032),
    length: Uint32Array.of(90_000, 8000, 190_000, 8212, 1000, 1000),
    identity: Uint32Array.of(0x1111_1111, 0xffff_ffff, 0, 7, 8, 9),
    pageCount: Uint8Array.of(60, 3, 64, 2, 1, 6),
  },
  spaces: [sampleRam, sampleDisk],
};
