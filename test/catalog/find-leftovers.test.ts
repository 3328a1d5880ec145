// What is taken for a leftover and what is not, and that removing one hurts no upload that is alive after all: on a real
// store on five folders.

import { ParsError } from '../../introspect/pars-error.js';
import { publishManifest } from '../../src/catalog/catalog.js';
import { findLeftovers } from '../../src/catalog/find-leftovers.js';
import {
  bodyName,
  hashesName,
  machineName,
  manifestName,
  packFolder,
  packName,
  partName,
  stateName,
} from '../../src/catalog/names.js';
import { removeLeftover } from '../../src/catalog/remove-leftover.js';
import type { Store } from '../../src/store/store.js';
import { withStore } from '../store/local/disk-folders.js';
import { changedStore } from './changed-store.js';
import {
  filesBelow,
  publishSmall,
  smallManifest,
  writeFilesOf,
  writeText,
} from './small-snapshot.js';

const whole = '1000000000000001';
const dead = '1100000000000002';
const other = '2000000000000003';

/** Everything there is counts as old. */
const all = { unchangedSinceMs: Number.MAX_SAFE_INTEGER };

async function namesFound(store: Store) {
  return (await findLeftovers(store, all)).map(({ id, parts, files }) => [
    id,
    [...parts, ...files].map(({ name }) => name),
  ]);
}

/** What an upload has written shortly before its manifest comes into place. */
async function writeUnpublished(store: Store, id: string): Promise<void> {
  const manifest = smallManifest({
    id,
    packs: [packName(id, 0)],
    pageHashes: [hashesName(id, 0)],
    state: stateName(id),
  });
  await writeFilesOf(store, manifest);
  await writeText(store, bodyName(id), 'the body');
  await writeText(store, partName(id), 'the manifest');
}

/** The files of the snapshot `id` but for its manifest, by name. */
const filesOf = (id: string): readonly string[] => [
  hashesName(id, 0),
  packName(id, 0),
  bodyName(id),
  stateName(id),
];

describe('leftovers are', () => {
  test('packs and manifests on their way of which there is no snapshot, and nothing of one', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, {
        id: whole,
        packs: [packName(whole, 0)],
        state: stateName(whole),
      });
      // Beside what the manifest names, but below a snapshot's own folder: not this program's to judge.
      await writeText(store, machineName(whole), 'not named');
      await writeUnpublished(store, dead);
      expect(await namesFound(store)).toEqual([[dead, [partName(dead), ...filesOf(dead)]]]);
    });
  });

  test('packs on their way to be coded, of a dead upload and of a snapshot that is there, and nothing beside them', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: whole, packs: [packName(whole, 0)] });
      const coding = (id: string) => `coding/RS-6-3-1024k/packs.${id}.000000.pack._uploading_.0a1b`;
      await writeText(store, coding(whole), 'once more');
      await writeText(store, coding(dead), 'on its way');
      await writeText(store, 'coding/RS-6-3-1024k/somebody-s', 'else');
      const found = await findLeftovers(store, all);
      expect(found.map(({ id, files }) => [id, files.map(({ name }) => name)]).sort()).toEqual([
        [whole, [coding(whole)]],
        [dead, [coding(dead)]],
      ]);
      for (const leftover of found) {
        expect(await removeLeftover(store, leftover)).toBe(true);
      }
      const left = await store.list('coding/RS-6-3-1024k');
      expect(left.map(({ name }) => name)).toEqual(['coding/RS-6-3-1024k/somebody-s']);
      expect(await store.stat(packName(whole, 0))).toBeDefined();
      expect(await namesFound(store)).toEqual([]);
    });
  });

  test('a manifest under the name that HDFS gives it while it is sent, without any pack', async () => {
    await withStore(async ({ store }) => {
      const sent = `${partName(dead)}._uploading_.0123456789ab`;
      await writeText(store, sent, 'half a manifest');
      expect(await namesFound(store)).toEqual([[dead, [sent]]]);
    });
  });

  test('of a deleted snapshot those files that no other one names', async () => {
    await withStore(async ({ store }) => {
      await writeUnpublished(store, dead);
      await publishSmall(store, { id: whole, packs: [packName(dead, 0), packName(whole, 0)] });
      await store.remove(partName(dead));
      const named = packName(dead, 0);
      const left = filesOf(dead).filter((name) => name !== named);
      expect(await namesFound(store)).toEqual([[dead, left]]);
      for (const name of left) {
        await store.remove(name);
      }
      expect(await namesFound(store)).toEqual([]);
    });
  });

  test('an empty folder', async () => {
    await withStore(async ({ store }) => {
      await writeText(store, packName(dead, 0), 'x');
      await store.remove(packName(dead, 0));
      expect(await store.stat(packFolder(dead))).toBeDefined();
      expect(await namesFound(store)).toEqual([[dead, []]]);
    });
  });

  test('not what others have put there', async () => {
    await withStore(async ({ store }) => {
      const foreign = ['packs/README', 'packs/mine/x', 'snapshots/notes.part', 'elsewhere/x'];
      for (const name of foreign) {
        await writeText(store, name, 'x');
      }
      expect(await namesFound(store)).toEqual([]);
    });
  });

  test('not what has changed since, in any of its files', async () => {
    await withStore(async ({ store }) => {
      await writeUnpublished(store, dead);
      const [{ modifiedMs }] = await findLeftovers(store, all);
      expect(await findLeftovers(store, { unchangedSinceMs: modifiedMs })).toEqual([]);
      expect(await findLeftovers(store, { unchangedSinceMs: modifiedMs + 1 })).toHaveLength(1);
    });
  });

  test('not looked for while a manifest cannot be read', async () => {
    await withStore(async ({ store }) => {
      await writeUnpublished(store, dead);
      await writeText(store, manifestName(other), 'nonsense');
      await expect(findLeftovers(store, all)).rejects.toMatchObject({
        code: 'corrupt',
        message: expect.stringMatching(`^nothing was removed: snapshot ${other}`) as string,
      });
    });
  });

  test('not what is published while they are looked for', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: whole, packs: [packName(whole, 0)] });
      await store.rename(manifestName(whole), partName(whole));
      const racing = changedStore(store, {
        list: async (folder, options) => {
          const files = await store.list(folder, options);
          if (folder === 'packs') {
            await publishManifest(store, whole);
          }
          return files;
        },
      });
      expect(await findLeftovers(racing, all)).toEqual([]);
    });
  });
});

describe('removing a leftover', () => {
  test('takes all of it and nothing else', async () => {
    await withStore(async ({ store }) => {
      await publishSmall(store, { id: whole, packs: [packName(whole, 0), packName(dead, 1)] });
      const before = await filesBelow(store, '');
      await writeUnpublished(store, dead);
      await writeUnpublished(store, other);
      for (const leftover of await findLeftovers(store, all)) {
        expect(await removeLeftover(store, leftover)).toBe(true);
      }
      expect(await filesBelow(store, '')).toEqual(before);
      expect((await store.list('packs')).map(({ name }) => name)).toEqual(
        [packFolder(whole), packFolder(dead)].sort(),
      );
    });
  });

  test('touches nothing when its snapshot was published meanwhile', async () => {
    await withStore(async ({ store }) => {
      await writeUnpublished(store, dead);
      const [leftover] = await findLeftovers(store, all);
      await publishManifest(store, dead);
      const before = await filesBelow(store, '');
      expect(await removeLeftover(store, leftover)).toBe(false);
      expect(await filesBelow(store, '')).toEqual(before);
    });
  });

  test('touches nothing when a file was added meanwhile', async () => {
    await withStore(async ({ store }) => {
      await writeText(store, packName(dead, 0), 'x');
      const [leftover] = await findLeftovers(store, all);
      // Times are in milliseconds.
      while (Date.now() <= leftover.modifiedMs) {
        await new Promise(setImmediate);
      }
      await writeText(store, packName(dead, 1), 'x');
      expect(await removeLeftover(store, leftover)).toBe(false);
      expect(await filesBelow(store, 'packs')).toHaveLength(2);
    });
  });

  test('keeps an upload from publishing before it takes the first of its packs', async () => {
    await withStore(async ({ store }) => {
      await writeUnpublished(store, dead);
      const [leftover] = await findLeftovers(store, all);
      let publishing = 'not tried';
      const racing = changedStore(store, {
        remove: async (name, options) => {
          if (name.endsWith('.pack')) {
            publishing = await publishManifest(store, dead).then(
              () => 'done',
              (error: unknown) => (error instanceof ParsError ? error.code : 'another error'),
            );
          }
          await store.remove(name, options);
        },
      });
      expect(await removeLeftover(racing, leftover)).toBe(true);
      expect(publishing).toBe('not-found');
    });
  });

  test('keeps the packs when the upload publishes just before its manifest would be taken', async () => {
    await withStore(async ({ store }) => {
      await writeUnpublished(store, dead);
      const [leftover] = await findLeftovers(store, all);
      const racing = changedStore(store, {
        remove: async (name, options) => {
          if (name === partName(dead)) {
            await publishManifest(store, dead);
          }
          await store.remove(name, options);
        },
      });
      expect(await removeLeftover(racing, leftover)).toBe(false);
      expect(await filesBelow(store, '')).toEqual([...filesOf(dead), manifestName(dead)].sort());
    });
  });
});
