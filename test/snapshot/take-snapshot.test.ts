// What the whole pipeline does when the store fails at one of its steps: a snapshot is whole or not there, and of one
// that is not there nothing is left.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PageMap } from '../../introspect/label/page-map.js';
import { ImageView } from '../../introspect/memory/image-view.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { listSnapshots, loadManifest } from '../../src/catalog/catalog.js';
import type { CodecChoice } from '../../src/pack/codec/codec-choice.js';
import { decodeFrameHeader } from '../../src/pack/decode.js';
import { defaultPolicy } from '../../src/plan/policy.js';
import { restoreSnapshot } from '../../src/restore/restore-snapshot.js';
import { type SnapshotRequest, takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import type { Store } from '../../src/store/store.js';
import { changedStore } from '../catalog/changed-store.js';
import { filesBelow } from '../catalog/small-snapshot.js';
import { samplePage } from '../pack/sample-pages.js';
import { withStore } from '../store/local/disk-folders.js';

const pageCount = 1024;
const image = Buffer.alloc(pageCount * 4096, 'pars');
const regions = [{ gpaStart: 0, sizeBytes: image.length, imageOffset: 0 }];
const memory = new ImageView(regions, (offset, target) => {
  target.set(image.subarray(offset, offset + target.length));
});
const map: PageMap = {
  regions,
  labels: Uint8Array.from({ length: pageCount }, (_, page) =>
    page % 3 === 0 ? labelNumbers.free : labelNumbers.anon,
  ),
  evidence: { kind: 'complete' },
  warnings: [],
  kernel: { release: '6.1.0', buildId: '00' },
};

function requestOf(store: Store, more: Partial<SnapshotRequest> = {}): SnapshotRequest {
  // The smallest blocks that hold a frame: several packs of a small image.
  return { store, memory, map, policy: defaultPolicy, vm: 'vm', blockSizeBytes: 2 ** 20, ...more };
}

const gone = new ParsError('unavailable', 'the store went away');

async function expectNothing(store: Store): Promise<void> {
  expect(await listSnapshots(store)).toEqual({ snapshots: [], unreadable: [] });
  expect(await store.list('packs')).toEqual([]);
  expect(await store.list('snapshots')).toEqual([]);
}

test('all went well: several packs of both replications, device state, one manifest', async () => {
  await withStore(async ({ store, folder }) => {
    const statePath = path.join(folder, 'device-state');
    writeFileSync(statePath, 'device state');
    const result = await takeSnapshot(requestOf(store, { statePath }));
    expect(result.underReplicated).toEqual([]);
    const { header } = await loadManifest(store, result.manifest.header.id);
    expect(header).toEqual(result.manifest.header);
    expect(new Set(header.packs.map(({ replication }) => replication))).toEqual(new Set([1, 3]));
    expect(header.packs.length).toBeGreaterThan(2);
    expect(header.bodies).toHaveLength(1);
    expect(header.pageHashes).toHaveLength(1);
    const named = [...header.packs, ...header.attachments, ...header.bodies, ...header.pageHashes];
    for (const { name, sizeBytes } of named) {
      expect(await store.stat(name)).toMatchObject({ sizeBytes });
    }
    expect(await filesBelow(store, 'packs')).toEqual(named.map(({ name }) => name).sort());
    expect((await store.list('snapshots')).length).toBe(1);
  });
});

/** Half of each page is noise, the other half the same in all. */
const mixed = Buffer.concat(
  Array.from({ length: pageCount }, (_, page) =>
    Buffer.from(samplePage('noise', page + 1)).fill('pars', 2048),
  ),
);

test.each<[CodecChoice, RegExp]>([
  ['raw', /^raw$/],
  ['lz4', /^lz4$/],
  ['zstd:3', /^zstd$/],
  ['zstd:9', /^zstd$/],
  ['auto', /^(?:lz4|zstd)$/],
])('by the codec %s every page comes back, and frames are of it', async (codec, pattern) => {
  await withStore(async ({ store, folder }) => {
    const { manifest } = await takeSnapshot(
      requestOf(store, {
        memory: new ImageView(regions, (offset, target) => {
          target.set(mixed.subarray(offset, offset + target.length));
        }),
        codec,
      }),
    );
    const { frames, header } = manifest;
    for (const [frame, pack] of frames.pack.entries()) {
      const { name } = header.packs[pack];
      const bytes = await store.read(name, frames.offset[frame], frames.length[frame]);
      expect(decodeFrameHeader(bytes, 0, 2).codec).toMatch(pattern);
    }
    const restored = path.join(folder, 'restored');
    await restoreSnapshot({ store, manifest, folder: restored, allowLost: false });
    expect(readFileSync(path.join(restored, 'ram')).equals(mixed)).toBe(true);
  });
});

test.each([
  ['the first pack', (name: string) => name.endsWith('000000.pack')],
  ['the last pack', (name: string) => name.endsWith('000002.pack')],
  ['the page hashes', (name: string) => name.endsWith('.hashes')],
  ["the manifest's body", (name: string) => name.endsWith('/body')],
  ['the manifest', (name: string) => name.endsWith('.part')],
])('the store fails at %s: its error is reported, and nothing is left', async (_, isFailing) => {
  await withStore(async ({ store }) => {
    const failing = changedStore(store, {
      write: (name, content, options) =>
        isFailing(name) ? Promise.reject(gone) : store.write(name, content, options),
    });
    await expect(takeSnapshot(requestOf(failing))).rejects.toBe(gone);
    await expectNothing(store);
  });
});

test('the manifest was renamed and only the answer was lost: no manifest stays without its packs', async () => {
  await withStore(async ({ store }) => {
    const failing = changedStore(store, {
      rename: async (from, to) => {
        await store.rename(from, to);
        throw gone;
      },
    });
    await expect(takeSnapshot(requestOf(failing))).rejects.toBe(gone);
    await expectNothing(store);
  });
});

test('the same, and the store stays away: what is visible is whole', async () => {
  await withStore(async ({ store }) => {
    let isAway = false;
    const failing = changedStore(store, {
      rename: async (from, to) => {
        await store.rename(from, to);
        isAway = true;
        throw gone;
      },
      remove: (name) => (isAway ? Promise.reject(gone) : store.remove(name)),
    });
    await expect(takeSnapshot(requestOf(failing))).rejects.toBe(gone);
    const { snapshots } = await listSnapshots(store);
    expect(snapshots).toHaveLength(1);
    const { packs, bodies, pageHashes } = snapshots[0].header;
    for (const { name, sizeBytes } of [...packs, ...bodies, ...pageHashes]) {
      expect(await store.stat(name)).toMatchObject({ sizeBytes });
    }
  });
});

test('stopped before the manifest: cancelled, and nothing is left', async () => {
  await withStore(async ({ store }) => {
    const abort = new AbortController();
    const watched = changedStore(store, {
      blocks: async (name, options) => {
        // All packs are written by then.
        abort.abort();
        return await store.blocks(name, options);
      },
    });
    const work = takeSnapshot(requestOf(watched, { signal: abort.signal }));
    await expect(work).rejects.toMatchObject({ code: 'cancelled' });
    await expectNothing(store);
  });
});

test('a name with other letters is kept, and asks no feature of who reads it', async () => {
  await withStore(async ({ store }) => {
    await takeSnapshot(requestOf(store, { vm: 'å b' }));
    await takeSnapshot(requestOf(store, { vm: 'web' }));
    const { snapshots } = await listSnapshots(store);
    expect(snapshots.map(({ header }) => [header.vm, header.requiredFeatures]).sort()).toEqual([
      ['web', []],
      ['å b', []],
    ]);
  });
});

test.each(['a/b', '..', '', 'a\nb', 'db\ufffd', 'x'.repeat(256)])(
  '%j is no name of a VM',
  async (vm) => {
    await withStore(async ({ store }) => {
      await expect(takeSnapshot(requestOf(store, { vm }))).rejects.toMatchObject({ code: 'usage' });
      await expectNothing(store);
    });
  },
);

test('device state that is a folder is refused as what it is', async () => {
  await withStore(async ({ store, folder }) => {
    await expect(takeSnapshot(requestOf(store, { statePath: folder }))).rejects.toMatchObject({
      code: 'image-invalid',
      message: expect.stringContaining('expected a regular file') as string,
    });
    await expectNothing(store);
  });
});
