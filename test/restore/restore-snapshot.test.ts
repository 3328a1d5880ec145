// Restoring into a folder where something is already, or where something goes wrong: nothing of others is touched.

import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ImageView } from '../../introspect/memory/image-view.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import type { LostRun } from '../../src/loss/lost-pages.js';
import { placeOf } from '../../src/manifest/space/place.js';
import type { Manifest } from '../../src/manifest/types.js';
import { packField } from '../../src/pack/layout.js';
import { defaultPolicy } from '../../src/plan/policy.js';
import { restoreSnapshot } from '../../src/restore/restore-snapshot.js';
import { expectFirstRun } from '../../src/restore/resume/resume-folder.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import type { Store } from '../../src/store/store.js';
import { verifySnapshot } from '../../src/verify/verify-snapshot.js';
import { changedStore } from '../catalog/changed-store.js';
import { flipStoredBit, LocalStoreFolder } from '../e2e/local-store-folder.js';
import { makeFolderOfOther, testAsRoot } from '../host/other-user.js';
import { withFolder, withStore } from '../store/local/disk-folders.js';

const pageCount = 1024;
const image = Buffer.alloc(pageCount * 4096, 'restored');
const regions = [{ gpaStart: 0, sizeBytes: image.length, imageOffset: 0 }];

interface Stored {
  readonly store: Store;
  /** Where the store is. */
  readonly storeFolder: string;
  readonly manifest: Manifest;
  /** Empty, to restore to. */
  readonly folder: string;
}

/** A snapshot of several packs with device state. */
async function withSnapshot(use: (stored: Stored) => Promise<void>): Promise<void> {
  await withStore(async ({ store, folder: storeFolder }) => {
    const statePath = path.join(storeFolder, 'device-state');
    writeFileSync(statePath, 'device state');
    const { manifest } = await takeSnapshot({
      store,
      memory: new ImageView(regions, (offset, target) => {
        target.set(image.subarray(offset, offset + target.length));
      }),
      map: {
        regions,
        labels: new Uint8Array(pageCount).fill(labelNumbers.anon),
        evidence: { kind: 'complete' },
        warnings: [],
        kernel: undefined,
      },
      policy: defaultPolicy,
      vm: 'vm',
      statePath,
      blockSizeBytes: 2 ** 20,
    });
    await withFolder((folder) => use({ store, storeFolder, manifest, folder }));
  });
}

test('files appear under their names, whole, and nothing beside them', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    const result = await restoreSnapshot({ store, manifest, folder, allowLost: false });
    expect(result.lost).toEqual([]);
    expect(readdirSync(folder).sort()).toEqual(['ram', 'state']);
    expect(readFileSync(path.join(folder, 'ram')).equals(image)).toBe(true);
    expect(readFileSync(path.join(folder, 'state'), 'utf8')).toBe('device state');
  });
});

test.each(['ram', 'state', 'ram.part', 'state.part'])(
  'a file %s that is there already is not touched',
  async (name) => {
    await withSnapshot(async ({ store, manifest, folder }) => {
      writeFileSync(path.join(folder, name), 'somebody else');
      for (const allowLost of [false, true]) {
        const work = restoreSnapshot({ store, manifest, folder, allowLost });
        await expect(work).rejects.toMatchObject({
          code: 'already-exists',
          message: expect.stringContaining(path.join(folder, name)) as string,
        });
      }
      expect(readdirSync(folder)).toEqual([name]);
      expect(readFileSync(path.join(folder, name), 'utf8')).toBe('somebody else');
    });
  },
);

test('even a folder called ram is in the way', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    await mkdir(path.join(folder, 'ram'));
    await expect(
      restoreSnapshot({ store, manifest, folder, allowLost: false }),
    ).rejects.toMatchObject({ code: 'already-exists' });
  });
});

test.each([
  ['checksum', packField.crc],
  ['version', packField.version],
])('a pack whose %s is damaged is lost as a whole, and of the others nothing is', async (_, at) => {
  await withSnapshot(async ({ store, storeFolder, manifest, folder }) => {
    const { header, frames, spaces } = manifest;
    const [damaged] = header.packs;
    for (const copy of new LocalStoreFolder(storeFolder).copiesOf(damaged.name)) {
      flipStoredBit(copy, at);
    }
    const packs = new Set(frames.pack);
    expect(packs.size).toBeGreaterThan(2);
    const lostPages = [...Array(pageCount).keys()].filter((page) => {
      const place = placeOf(spaces[0], page);
      return place.kind === 'stored' && frames.pack[place.frame] === 0;
    });
    const pagesOf = (lost: readonly LostRun[]) =>
      lost.flatMap(({ firstPage, pageCount: count, reason }) =>
        Array.from({ length: count }, (_, index) => [firstPage + index, reason]),
      );
    const expected = lostPages.map((page) => [page, 'corrupt']);

    const verified = await verifySnapshot({ store, manifest, readData: true });
    expect(pagesOf(verified.lost)).toEqual(expected);
    const refused = await restoreSnapshot({ store, manifest, folder, allowLost: false });
    expect(pagesOf(refused.lost)).toEqual(expected);
    expect(readdirSync(folder)).toEqual([]);
    const allowed = await restoreSnapshot({ store, manifest, folder, allowLost: true });
    expect(pagesOf(allowed.lost)).toEqual(expected);
    const rest = Buffer.from(image);
    for (const page of lostPages) {
      rest.fill(0, page * 4096, (page + 1) * 4096);
    }
    expect(readFileSync(path.join(folder, 'ram')).equals(rest)).toBe(true);
  });
});

test('bytes that came unchecked and are wrong are asked for again, checked by the store', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    const packNames = manifest.header.packs.map(({ name }) => name);
    let wrongCount = 0;
    let checkedCount = 0;
    const careless = changedStore(store, {
      read: async (name, offsetBytes, sizeBytes, options) => {
        const bytes = await store.read(name, offsetBytes, sizeBytes, options);
        if (packNames.includes(name) && options?.isCheckedByReader === true) {
          wrongCount++;
          bytes[Math.floor(bytes.length / 2)] ^= 1;
        } else if (packNames.includes(name)) {
          checkedCount++;
        }
        return bytes;
      },
    });
    const result = await restoreSnapshot({ store: careless, manifest, folder, allowLost: false });
    expect(result.lost).toEqual([]);
    expect(readFileSync(path.join(folder, 'ram')).equals(image)).toBe(true);
    expect(wrongCount).toBeGreaterThan(2);
    expect(checkedCount).toBe(wrongCount);
  });
});

test('of several failures the one is reported that stopped the others', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    const { packs } = manifest.header;
    expect(packs.length).toBeGreaterThan(1);
    // The reads before it wait until they are stopped, as a request to a slow DataNode would.
    const failing = changedStore(store, {
      read: async (name, offset, size, options) => {
        if (name === packs[packs.length - 1].name) {
          throw new ParsError('permission-denied', 'the store refused the user');
        }
        if (name === packs[0].name) {
          await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve));
          throw new ParsError('cancelled', 'stopped by the caller');
        }
        return await store.read(name, offset, size, options);
      },
    });
    const readData = verifySnapshot({ store: failing, manifest, readData: true });
    await expect(readData).rejects.toMatchObject({ code: 'permission-denied' });
    await expect(
      restoreSnapshot({ store: failing, manifest, folder, allowLost: true }),
    ).rejects.toMatchObject({ code: 'permission-denied' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('stopped, it is cancelled and leaves no file', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    const abort = new AbortController();
    const stopping = changedStore(store, {
      read: async (name, offset, size, options) => {
        abort.abort();
        return await store.read(name, offset, size, options);
      },
    });
    const request = { store: stopping, manifest, folder, allowLost: false, signal: abort.signal };
    await expect(restoreSnapshot(request)).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

testAsRoot('nothing is restored into a folder that another user could change', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    const his = makeFolderOfOther(path.join(folder, 'his'));
    for (const out of [his, path.join(his, 'new')]) {
      await expect(
        restoreSnapshot({ store, manifest, folder: out, allowLost: false }),
      ).rejects.toMatchObject({
        code: 'permission-denied',
        message: expect.stringContaining('(65534)') as string,
      });
      await expect(expectFirstRun(out)).rejects.toMatchObject({ code: 'permission-denied' });
    }
    expect(readdirSync(his)).toEqual([]);
    // Without the sticky bit others could replace what is written.
    chmodSync(folder, 0o777);
    await expect(
      restoreSnapshot({ store, manifest, folder, allowLost: false }),
    ).rejects.toMatchObject({ code: 'permission-denied' });
    chmodSync(folder, 0o1777);
    await restoreSnapshot({ store, manifest, folder, allowLost: false });
  });
});

test('a folder that the restore makes is its own to write to, whatever the umask', async () => {
  await withSnapshot(async ({ store, manifest, folder }) => {
    const out = path.join(folder, 'new');
    const umask = process.umask(0);
    try {
      await restoreSnapshot({ store, manifest, folder: out, allowLost: false });
    } finally {
      process.umask(umask);
    }
    expect(statSync(out).mode & 0o7777).toBe(0o755);
    expect(statSync(path.join(out, 'ram')).mode & 0o7777).toBe(0o600);
    expect(statSync(path.join(out, 'state')).mode & 0o7777).toBe(0o600);
  });
});
