import { labelNumbers } from '../../introspect/page-class.js';
import { withDiskHeld } from '../../src/plan/disk-held-pages.js';

const { anon, free } = labelNumbers;
const clean = labelNumbers['file-clean'];
const reread = labelNumbers['file-reread'];
const held = labelNumbers['disk-held'];

const map = {
  regions: [{ gpaStart: 0, sizeBytes: 5 * 4096, imageOffset: 0 }],
  labels: Uint8Array.of(anon, clean, reread, free, clean),
  evidence: { kind: 'complete' },
  warnings: [],
  kernel: undefined,
} as const;
const onDisk = {
  disks: [{ name: 'vda', sizeBytes: 2 ** 20 }],
  page: Uint32Array.of(1, 2),
  disk: Uint8Array.of(0, 0),
  offsetBytes: Float64Array.of(8192, 4096),
  hash: Uint8Array.from({ length: 32 }, (_, index) => index),
};

test('held pages of the labels that are asked for are labelled anew, and only those are kept', () => {
  const { labels, diskHeld } = withDiskHeld(map, onDisk, ['file-clean']);
  expect([...labels]).toEqual([anon, held, reread, free, clean]);
  expect(diskHeld).toEqual({
    disks: onDisk.disks,
    page: Uint32Array.of(1),
    disk: Uint8Array.of(0),
    offsetBytes: Float64Array.of(8192),
    hash: onDisk.hash.subarray(0, 16),
  });
  expect([...map.labels]).toEqual([anon, clean, reread, free, clean]);
});

test('with re-readable cache among them, each keeps its own place and hash', () => {
  const { labels, diskHeld } = withDiskHeld(map, onDisk, ['file-clean', 'file-reread']);
  expect([...labels]).toEqual([anon, held, held, free, clean]);
  expect(diskHeld).toEqual(onDisk);
});
