// What is in a store, and the order in which it comes and goes: on a real store on five folders.

import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import {
  listSnapshots,
  loadManifest,
  newSnapshotId,
  removeUnpublished,
  resolveId,
} from '../../src/catalog/catalog.js';
import { manifestName, packName, partName } from '../../src/catalog/names.js';
import { firstReadBytes } from '../../src/manifest/layout.js';
import { withStore } from '../store/local/disk-folders.js';
import { changedStore } from './changed-store.js';
import {
  filesBelow,
  publishSmall,
  smallManifest,
  writeAndPublish,
  writeText,
} from './small-snapshot.js';

const first = '1000000000000001';
const second = '1100000000000002';
const third = '2000000000000003';

describe('listing snapshots', () => {
  test('is by age and knows no manifest that is still on its way', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0)], createdMs: 2000 });
      await publishSmall(store, { id: third, packs: [packName(third, 0)], createdMs: 1000 });
      await writeText(store, partName(second), 'half a manifest');
      await writeText(store, 'snapshots/README', 'of somebody else');
      const { snapshots, unreadable } = await listSnapshots(store);
      expect(snapshots.map(({ header }) => header.id)).toEqual([third, first]);
      expect(unreadable).toEqual([]);
    });
  });

  test('of one moment is by id, however long each manifest takes to be read', async () => {
    await withStore(async ({ store }) => {
      for (const id of [third, first, second]) {
        await publishSmall(store, { id, packs: [packName(id, 0)], createdMs: 1000 });
      }
      const broken = ['3000000000000004', '3000000000000003'] as const;
      for (const id of broken) {
        await writeText(store, manifestName(id), '');
      }
      const order = [first, second, third, ...broken].toSorted();
      const slow = changedStore(store, {
        read: async (name, ...rest) => {
          // The first take longest.
          const index = order.findIndex((id) => name.includes(id));
          await sleep((order.length - index) * 20);
          return await store.read(name, ...rest);
        },
      });
      const { snapshots, unreadable } = await listSnapshots(slow);
      expect(snapshots.map(({ header }) => header.id)).toEqual([first, second, third]);
      expect(unreadable.map(({ id }) => id)).toEqual(broken.toSorted());
    });
  });

  test('of a store without any gives none', async () => {
    await withStore(async ({ store }) => {
      expect(await listSnapshots(store)).toEqual({ snapshots: [], unreadable: [] });
    });
  });

  test('names what it cannot read and hides nothing else', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0)] });
      await writeText(store, manifestName(second), '');
      const { snapshots, unreadable } = await listSnapshots(store);
      expect(snapshots.map(({ header }) => header.id)).toEqual([first]);
      expect(unreadable.map(({ id, error }) => [id, error.code])).toEqual([[second, 'corrupt']]);
    });
  });

  test('passes over a snapshot that is deleted meanwhile', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0)] });
      await publishSmall(store, { id: second, packs: [packName(second, 0)] });
      const racing = changedStore(store, {
        list: async (folder) => {
          const files = await store.list(folder);
          await store.remove(manifestName(first));
          return files;
        },
      });
      const { snapshots, unreadable } = await listSnapshots(racing);
      expect(snapshots.map(({ header }) => header.id)).toEqual([second]);
      expect(unreadable).toEqual([]);
    });
  });

  test('reads a header that is longer than what is read at first', async () => {
    await withStore(async ({ store }) => {
      const packs = Array.from({ length: 10_000 }, (_, index) => packName(first, index));
      const small = smallManifest({ id: first, packs });
      const { manifest, manifestSizeBytes } = await writeAndPublish(store, small);
      expect(manifestSizeBytes).toBeGreaterThan(firstReadBytes);
      const { snapshots } = await listSnapshots(store);
      expect(snapshots).toEqual([{ header: manifest.header, manifestSizeBytes }]);
      expect((await loadManifest(store, first)).header).toEqual(manifest.header);
    });
  });
});

describe('the beginning of an id', () => {
  test('names the one snapshot that has it', async () => {
    await withStore(async ({ store }) => {
      for (const id of [first, second, third]) {
        await publishSmall(store, { id, packs: [packName(id, 0)] });
      }
      expect(await resolveId(store, '2')).toBe(third);
      expect(await resolveId(store, '10')).toBe(first);
      expect(await resolveId(store, second)).toBe(second);
      await expect(resolveId(store, '1')).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining(`${first}, ${second}`) as string,
      });
      await expect(resolveId(store, '3')).rejects.toMatchObject({ code: 'not-found' });
    });
  });

  test.each(['', 'g', '../1', 'A', '10000000000000010'])('is not %j', async (text) => {
    await withStore(async ({ store }) => {
      await expect(resolveId(store, text)).rejects.toMatchObject({ code: 'usage' });
    });
  });
});

describe('publishing', () => {
  test('takes no id that is taken, and changes nothing then', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0)], createdMs: 1 });
      const again = smallManifest({ id: first, packs: [packName(first, 0)], createdMs: 2 });
      await expect(writeAndPublish(store, again)).rejects.toMatchObject({
        code: 'already-exists',
      });
      expect((await loadManifest(store, first)).header.createdMs).toBe(1);
    });
  });

  test('gives ids that are new and can name a manifest', () => {
    const ids = Array.from({ length: 1000 }, newSnapshotId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{16}$/);
    }
  });
});

test('what an upload left is removed manifest first: it may have been published all the same', async () => {
  await withStore(async ({ store }) => {
    await publishSmall(store, { id: first, packs: [packName(first, 0)] });
    const removed: string[] = [];
    const watched = changedStore(store, {
      remove: async (name) => {
        removed.push(name);
        await store.remove(name);
      },
    });
    await removeUnpublished(watched, first);
    expect(removed[0]).toBe(manifestName(first));
    expect(await filesBelow(store, '')).toEqual([]);

    await publishSmall(store, { id: second, packs: [packName(second, 0)] });
    const failing = changedStore(store, {
      remove: () => Promise.reject(new ParsError('unavailable', 'the store went away')),
    });
    await expect(removeUnpublished(failing, second)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await store.stat(packName(second, 0))).toBeDefined();
  });
});
