// Disks that a snapshot takes in: what is refused before anything is written, what of an image is read, and that one which
// changes meanwhile gives no snapshot.

import {
  appendFileSync,
  closeSync,
  openSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { ImageView } from '../../introspect/memory/image-view.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { listSnapshots } from '../../src/catalog/catalog.js';
import { disksOf } from '../../src/manifest/space/spaces.js';
import { plannedDiskBytes } from '../../src/plan/disk-plan.js';
import { defaultPolicy } from '../../src/plan/policy.js';
import {
  type DiskToStore,
  openDisksToStore,
  OpenedDisk,
} from '../../src/snapshot/disk-to-store.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import type { Store } from '../../src/store/store.js';
import { changedStore } from '../catalog/changed-store.js';
import { thrownBy } from '../introspect/memory/thrown-by.js';
import { withFolder, withStore } from '../store/local/disk-folders.js';

const windowBytes = 64 * 4096;

const regions = [{ gpaStart: 0, sizeBytes: 4096, imageOffset: 0 }];
const snapshotOf = (store: Store, disks: readonly DiskToStore[]) =>
  takeSnapshot({
    store,
    memory: new ImageView(regions, (_, target) => {
      target.fill(7);
    }),
    map: {
      regions,
      labels: Uint8Array.of(labelNumbers.anon),
      evidence: { kind: 'complete' },
      warnings: [],
      kernel: undefined,
    },
    policy: defaultPolicy,
    vm: 'vm',
    disks,
    createdMs: 1_700_000_000_000,
  });

const named = (diskPath: string, change: Partial<DiskToStore> = {}): DiskToStore => ({
  name: 'vda',
  path: diskPath,
  sourcePath: diskPath,
  sourceFormat: 'raw',
  ...change,
});

test('a disk that ends within a page is read as if it went on with zeroes', async () => {
  await withFolder((folder) => {
    const diskPath = path.join(folder, 'odd');
    writeFileSync(diskPath, Buffer.alloc(2 * 4096 + 512, 'x'));
    const disk = new OpenedDisk(named(diskPath));
    try {
      expect(disk.sizeBytes).toBe(2 * 4096 + 512);
      expect(disk.pages.fd).toBeUndefined();
      const last = Buffer.alloc(2 * 4096, 'y');
      disk.pages.readImage(4096, last);
      expect(last.equals(Buffer.concat([Buffer.alloc(4608, 'x'), Buffer.alloc(3584)]))).toBe(true);
    } finally {
      disk.close();
    }
    return Promise.resolve();
  });
});

test('of a disk of 100 GiB with three stretches of data, the windows of those are read and no others', async () => {
  await withFolder((folder) => {
    const diskPath = path.join(folder, 'sparse');
    writeFileSync(diskPath, '');
    truncateSync(diskPath, 100 * 2 ** 30);
    const fd = openSync(diskPath, 'r+');
    for (const offset of [0, 50 * 2 ** 30 + 12_345, 100 * 2 ** 30 - 4096]) {
      writeSync(fd, Buffer.alloc(4096, 'd'), 0, 4096, offset);
    }
    closeSync(fd);
    const disk = new OpenedDisk(named(diskPath));
    try {
      const plan = disk.plan(3);
      expect(plannedDiskBytes(plan)).toBe(3 * windowBytes);
      expect([...plan.replication]).toEqual([3, 0, 3, 0, 3]);
    } finally {
      disk.close();
    }
    return Promise.resolve();
  });
});

test.each([
  ['a name that leads elsewhere', { name: '../x' }, 'usage', /"\.\.\/x" cannot name the disk/],
  ['a format that is none', { sourceFormat: '' }, 'usage', /"" is no format of the disk vda/],
  ['no file', { path: '/gone/disk' }, 'image-invalid', /cannot open the disk \/gone\/disk/],
  ['an endless path', { sourcePath: 'x'.repeat(5000) }, 'usage', /has 5000 characters/],
])('%s is refused', async (_, change, code, message) => {
  await withFolder((folder) => {
    const diskPath = path.join(folder, 'disk');
    writeFileSync(diskPath, Buffer.alloc(512));
    const error = thrownBy(() => openDisksToStore([named(diskPath, change)]));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    return Promise.resolve();
  });
});

test('two disks of one name, an image of another format and one too large are refused, and nothing is stored', async () => {
  await withStore(async ({ store, folder }) => {
    const diskPath = path.join(folder, 'disk');
    writeFileSync(diskPath, Buffer.alloc(4096));
    await expect(snapshotOf(store, [named(diskPath), named(diskPath)])).rejects.toThrow(
      /two disks are named vda/,
    );
    const qcow2 = path.join(folder, 'qcow2');
    writeFileSync(qcow2, Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(4096)]));
    await expect(snapshotOf(store, [named(qcow2)])).rejects.toMatchObject({ code: 'unsupported' });
    truncateSync(diskPath, 2 ** 40 + 512);
    await expect(snapshotOf(store, [named(diskPath)])).rejects.toThrow(
      /has 1099511628288 bytes, a snapshot holds disks of at most 1099511627776/,
    );
    expect(await listSnapshots(store)).toEqual({ snapshots: [], unreadable: [] });
    expect(await store.list('packs')).toEqual([]);
  });
});

test('the manifest has the disk beside RAM, its labels apart, and the moment that was given', async () => {
  await withStore(async ({ store, folder }) => {
    const diskPath = path.join(folder, 'disk');
    writeFileSync(diskPath, Buffer.alloc(3 * 4096 + 1, 'x'));
    const change = { sourcePath: '/vms/disk.qcow2', sourceFormat: 'qcow2' };
    const { manifest, plan } = await snapshotOf(store, [named(diskPath, change)]);
    expect(manifest.header).toMatchObject({
      createdMs: 1_700_000_000_000,
      requiredFeatures: [],
      labelCounts: { anon: 1, disk: 4 },
      imageSizeBytes: 4096,
    });
    expect(manifest.spaces.map(({ kind, name }) => ({ kind, name }))).toEqual([
      { kind: 'ram', name: 'ram' },
      { kind: 'disk', name: 'disk-vda' },
    ]);
    expect(disksOf(manifest).map(({ disk }) => disk)).toEqual([
      { name: 'vda', ...change, sizeBytes: 3 * 4096 + 1 },
    ]);
    expect(plan.pageCount).toBe(1);
    expect(manifest.header.packs.map(({ replication }) => replication)).toEqual([3, 3]);
  });
});

test('a disk that is written to while it is stored gives no snapshot', async () => {
  await withStore(async ({ store, folder }) => {
    const diskPath = path.join(folder, 'disk');
    writeFileSync(diskPath, Buffer.alloc(2 ** 20, 'x'));
    const writing = changedStore(store, {
      write: async (name, content, options) => {
        const sizeBytes = await store.write(name, content, options);
        appendFileSync(diskPath, 'more');
        return sizeBytes;
      },
    });
    await expect(snapshotOf(writing, [named(diskPath)])).rejects.toMatchObject({
      code: 'image-invalid',
      message: expect.stringContaining('written to while it was stored') as string,
    });
    expect(await listSnapshots(store)).toEqual({ snapshots: [], unreadable: [] });
    expect(await store.list('packs')).toEqual([]);
  });
});
