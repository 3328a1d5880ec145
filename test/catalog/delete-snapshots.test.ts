// What goes with a snapshot and what stays: on a real store on five folders.

import { ParsError } from '../../introspect/pars-error.js';
import { listSnapshots, loadManifest } from '../../src/catalog/catalog.js';
import { deleteSnapshot, prepareDeletions } from '../../src/catalog/delete-snapshots.js';
import {
  bodyName,
  hashesName,
  manifestName,
  packName,
  stateName,
} from '../../src/catalog/names.js';
import { encodeManifestHeader } from '../../src/manifest/encode.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { withStore } from '../store/local/disk-folders.js';
import { changedStore } from './changed-store.js';
import { filesBelow, publishSmall, smallManifest, writeText } from './small-snapshot.js';

const first = '1000000000000001';
const second = '1100000000000002';
const third = '2000000000000003';

describe('deleting a snapshot', () => {
  test('removes its own files and keeps those that another manifest names', async () => {
    await withStore(async ({ store }) => {
      const shared = [packName(first, 1), packName(first, 2)];
      const own = [packName(first, 0), stateName(first), bodyName(first)];
      await publishSmall(store, { id: first, packs: [own[0], ...shared], state: own[1] });
      const later = [...shared, packName(second, 0)];
      await publishSmall(store, { id: second, packs: later });
      const stays = [...later, bodyName(second)];

      const deletion = await deleteSnapshot(store, first);
      expect([...deletion.removed].sort()).toEqual([...own].sort());
      expect([...deletion.kept].sort()).toEqual(shared);
      expect(await filesBelow(store, 'packs')).toEqual([...stays].sort());
      await loadManifest(store, second);

      // The last one that names them takes them along, and no folder stays.
      expect((await deleteSnapshot(store, second)).kept).toEqual([]);
      expect(await store.list('packs')).toEqual([]);
      expect(await store.list('snapshots')).toEqual([]);
    });
  });

  test('keeps the page hashes and the body that another manifest names', async () => {
    await withStore(async ({ store }) => {
      const pageHashes = [hashesName(first, 0), hashesName(first, 64)];
      await publishSmall(store, { id: first, packs: [packName(first, 0)], pageHashes });
      const [{ header: earlier }] = (await listSnapshots(store)).snapshots;
      // What changed since the first, as if it had been stored after it.
      const later = smallManifest({ id: second, packs: [packName(first, 0)] });
      await writeText(store, bodyName(second), 'changes');
      const own = { name: bodyName(second), sizeBytes: 7, sha256: new Uint8Array(32) };
      const header = {
        ...later.header,
        bodies: [...earlier.bodies, own],
        pageHashes: earlier.pageHashes.slice(0, 1),
      };
      await store.write(manifestName(second), () => [encodeManifestHeader(header)], {
        redundancy: copies(3),
        blockSizeBytes: 2 ** 20,
      });

      const deletion = await deleteSnapshot(store, first);
      expect(deletion.removed).toEqual([pageHashes[1]]);
      expect([...deletion.kept].sort()).toEqual(
        [packName(first, 0), bodyName(first), pageHashes[0]].sort(),
      );
      const list = await listSnapshots(store);
      const { removed, kept } = await prepareDeletions(store, list)(list.snapshots[0].header);
      expect([...removed].sort()).toEqual([...deletion.kept, own.name].sort());
      expect(kept).toEqual([]);
      expect(await filesBelow(store, '')).toEqual([]);
    });
  });

  test.each(['header', 'whole'])(
    'refuses, and removes nothing, while the %s of another manifest cannot be read',
    async (part) => {
      await withStore(async ({ store }) => {
        await publishSmall(store, { id: first, packs: [packName(first, 0)] });
        const text = part === 'header' ? 'PARSMANI and then nonsense'.repeat(9) : 'nonsense';
        await writeText(store, manifestName(third), text);
        const before = await filesBelow(store, '');
        await expect(deleteSnapshot(store, first)).rejects.toMatchObject({
          message: expect.stringMatching(`^nothing was deleted: snapshot ${third}`) as string,
        });
        expect(await filesBelow(store, '')).toEqual(before);
      });
    },
  );

  test('takes the manifest away first, so that a failure leaves files and no broken snapshot', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0), packName(first, 1)] });
      const failing = changedStore(store, {
        remove: async (name) => {
          if (name.endsWith('.pack')) {
            throw new ParsError('unavailable', 'the store went away');
          }
          await store.remove(name);
        },
      });
      await expect(deleteSnapshot(failing, first)).rejects.toMatchObject({ code: 'unavailable' });
      expect(await listSnapshots(store)).toEqual({ snapshots: [], unreadable: [] });
      expect(await filesBelow(store, 'packs')).toEqual(
        [packName(first, 0), packName(first, 1), bodyName(first)].sort(),
      );
    });
  });

  test('goes by the header alone, so that one whose body is gone can go too', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0)] });
      await store.remove(bodyName(first));
      expect((await deleteSnapshot(store, first)).removed).toContain(packName(first, 0));
      expect(await filesBelow(store, '')).toEqual([]);
    });
  });

  test('throws not-found for one that is not there', async () => {
    await withStore(async ({ store }) => {
      await expect(deleteSnapshot(store, first)).rejects.toMatchObject({ code: 'not-found' });
    });
  });
});

describe('deleting several snapshots', () => {
  const shared = packName(first, 1);

  /** The first two share a pack; the third names it as well, and stays unless a test deletes it. */
  async function publishThree(store: Store): Promise<void> {
    await publishSmall(store, { id: first, packs: [packName(first, 0), shared] });
    await publishSmall(store, { id: second, packs: [packName(second, 0), shared] });
    await publishSmall(store, { id: third, packs: [packName(third, 0), shared] });
  }

  async function headersOf(store: Store) {
    const list = await listSnapshots(store);
    const header = (id: string) => {
      const found = list.snapshots.find((entry) => entry.header.id === id);
      if (found === undefined) {
        throw new Error(`no snapshot ${id}`);
      }
      return found.header;
    };
    return { list, header };
  }

  test('keeps what one that stays names, and lists the manifests once', async () => {
    await withStore(async ({ store }) => {
      await publishThree(store);
      const { list, header } = await headersOf(store);
      const readNames: string[] = [];
      const watched = changedStore(store, {
        read: (name, ...rest) => {
          readNames.push(name);
          return store.read(name, ...rest);
        },
      });
      const deleteOne = prepareDeletions(watched, list);
      for (const id of [first, second]) {
        expect(await deleteOne(header(id))).toEqual({
          removed: [packName(id, 0), bodyName(id)],
          kept: [shared],
        });
      }
      expect(readNames).toEqual([]);
      expect(await filesBelow(store, '')).toEqual(
        [shared, packName(third, 0), bodyName(third), manifestName(third)].sort(),
      );
    });
  });

  test('takes what they share along with the last of them', async () => {
    await withStore(async ({ store }) => {
      await publishThree(store);
      const { list, header } = await headersOf(store);
      const deleteOne = prepareDeletions(store, list);
      for (const id of [third, first]) {
        expect((await deleteOne(header(id))).kept).toEqual([shared]);
      }
      expect((await deleteOne(header(second))).removed).toContain(shared);
      expect(await store.list('packs')).toEqual([]);
    });
  });

  test('counts one whose manifest could not be removed among those that name a file', async () => {
    await withStore(async ({ store }) => {
      await publishThree(store);
      const { list, header } = await headersOf(store);
      const failing = changedStore(store, {
        remove: async (name) => {
          if (name === manifestName(first)) {
            throw new ParsError('permission-denied', 'not yours');
          }
          await store.remove(name);
        },
      });
      const deleteOne = prepareDeletions(failing, list);
      await expect(deleteOne(header(first))).rejects.toMatchObject({ code: 'permission-denied' });
      await deleteOne(header(second));
      await deleteOne(header(third));
      await loadManifest(store, first);
      expect(await filesBelow(store, 'packs')).toEqual(
        [packName(first, 0), shared, bodyName(first)].sort(),
      );
    });
  });

  test('is refused while any manifest cannot be read', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: first, packs: [packName(first, 0)] });
      await writeText(store, manifestName(third), 'nonsense');
      const { list } = await headersOf(store);
      expect(() => prepareDeletions(store, list)).toThrow(/^nothing was deleted: snapshot 2000/);
    });
  });
});
