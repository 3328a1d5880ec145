// Claims in a store of local disks: while there is one, nothing goes that a writer may be at, and what becomes of claims is no
// matter of proofs, as it is for names that hold something.

import { existsSync, renameSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openLocalStore } from '../../../../src/store/local/local-store.js';
import { findDisks, renewOldMarkers } from '../../../../src/store/local/membership/membership.js';
import {
  bringBack,
  inspectDisks,
  settleDisks,
} from '../../../../src/store/local/membership/settle-disks.js';
import { copies } from '../../../../src/store/redundancy.js';
import {
  allNames,
  foldersOf,
  makeMarkersOld,
  makeStore,
  markerName,
  put,
  urlOf,
} from '../damaged-disks.js';
import { withFolder } from '../disk-folders.js';

const orphan = '0'.repeat(32);
const options = { redundancy: copies(9), blockSizeBytes: 2 ** 20 };

/** Opens the store as a prune does, a day later. */
async function openADayLater(url: string): Promise<void> {
  const now = Date.now;
  Date.now = () => now() + 25 * 3600 * 1000;
  try {
    await openLocalStore(url, { removeOrphans: true });
  } finally {
    Date.now = now;
  }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

test.each([
  ['when all disks agree', false],
  ['when a disk comes back', true],
])(
  'nothing that a writer may be at goes while somebody claims to be at work, %s',
  async (_, wasAway) => {
    await withFolder(async (root) => {
      const folders = foldersOf(root, 3);
      const store = await makeStore(folders);
      const bringsBack = async (): Promise<void> => {
        if (!wasAway) {
          return;
        }
        await rename(folders[2], `${folders[2]}.away`);
        await put(store, `manifests/${(await allNames(store)).length}`);
        await rename(`${folders[2]}.away`, folders[2]);
      };
      await store.write('claims/a', () => [], options);
      const leftovers = [
        path.join(folders[0], 'data', orphan),
        path.join(folders[0], 'writing', orphan),
      ];
      for (const file of leftovers) {
        await writeFile(file, 'x');
      }

      await bringsBack();
      await openADayLater(urlOf(folders));
      expect(await Promise.all(leftovers.map(isThere))).toEqual([true, true]);

      await store.remove('claims/a');
      await bringsBack();
      await openADayLater(urlOf(folders));
      expect(await Promise.all(leftovers.map(isThere))).toEqual([false, false]);
    });
  },
);

test('no orphan goes when somebody has come to work while the disks were looked at', async () => {
  await withFolder(async (root) => {
    const folders = foldersOf(root, 2);
    const store = await makeStore(folders);
    await store.write('claims/a', () => [], options);
    const claims = path.join(folders[0], 'names/claims');
    for (const folder of folders) {
      await rename(path.join(folder, 'names/claims'), path.join(folder, 'unseen'));
    }
    const copy = path.join(folders[0], 'data', orphan);
    for (const file of [copy, path.join(folders[0], 'writing', orphan)]) {
      await writeFile(file, 'x');
    }
    const now = Date.now;
    // The age of a file is asked for after the first look for claims.
    Date.now = () => {
      if (!existsSync(claims)) {
        for (const folder of folders) {
          renameSync(path.join(folder, 'unseen'), path.join(folder, 'names/claims'));
        }
      }
      return now() + 25 * 3600 * 1000;
    };
    try {
      await openLocalStore(urlOf(folders), { removeOrphans: true });
    } finally {
      Date.now = now;
    }
    expect(existsSync(claims)).toBe(true);
    expect(await isThere(copy)).toBe(true);
  });
});

test('renewals while a disk is away leave no file each, and its old claim neither bars it nor comes back', async () => {
  await withFolder(async (root) => {
    const folders = foldersOf(root, 3);
    const url = urlOf(folders);
    const store = await makeStore(folders);
    await put(store, 'manifests/a');
    await store.write('claims/a.0', () => [], options);
    await store.write('claims/b.0', () => [], options);
    await rename(folders[2], `${folders[2]}.away`);
    for (let count = 0; count < 5; count++) {
      await store.rename(`claims/a.${count}`, `claims/a.${count + 1}`);
    }
    await store.remove('claims/a.5');
    await store.remove('claims/b.0');
    for (const folder of folders.slice(0, 2)) {
      expect(await readdir(path.join(folder, 'removed'))).toEqual([]);
    }

    await rename(`${folders[2]}.away`, folders[2]);
    const reopened = await openLocalStore(url);
    expect(await reopened.list('claims')).toEqual([]);
    const { disks, doubt } = await inspectDisks(url);
    expect(doubt).toBeUndefined();
    expect(disks.map(({ state, setAsideCount }) => [state, setAsideCount])).toEqual(
      Array.from({ length: 3 }, () => ['current', 0]),
    );
    expect(await bringBack(url)).toEqual({ broughtBack: [], taken: [] });
    expect(await allNames(reopened)).toEqual(['manifests/a']);
  });
});

test('settling disks takes no claim over from those that are not trusted', async () => {
  await withFolder(async (root) => {
    const folders = foldersOf(root, 2);
    const store = await makeStore(folders);
    for (const name of ['claims/a.0', 'manifests/a']) {
      await put(store, name);
    }
    for (const name of ['claims', 'manifests']) {
      await rename(path.join(folders[0], 'names', name), path.join(root, name));
    }
    await settleDisks(urlOf(folders), folders[0], { keepsAll: true });
    const settled = await openLocalStore(urlOf(folders));
    expect(await allNames(settled)).toEqual(['manifests/a']);
    expect(await settled.list('claims')).toEqual([]);
  });
});

test('disks are not settled while somebody claims on the trusted one to be at work', async () => {
  await withFolder(async (root) => {
    const folders = foldersOf(root, 2);
    const store = await makeStore(folders);
    await put(store, 'manifests/a');
    await put(store, 'claims/a.0');
    const claim = path.join(folders[0], 'names/claims/a.0');
    await expect(settleDisks(urlOf(folders), folders[0])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        `${claim}; nothing was changed.* remove that folder`,
      ) as string,
    });
    // As it says.
    await rm(claim, { recursive: true });
    await settleDisks(urlOf(folders), folders[0]);
    const settled = await openLocalStore(urlOf(folders));
    expect(await settled.list('claims')).toEqual([]);
    expect(await allNames(settled)).toEqual(['manifests/a']);
  });
});

test('a marker of version 1 is renewed neither over a newer one nor while somebody is at work', async () => {
  await withFolder(async (root) => {
    const folders = foldersOf(root, 2);
    const url = urlOf(folders);
    const store = await makeStore(folders);
    await put(store, 'claims/a');
    await makeMarkersOld(folders);
    const file = path.join(folders[0], markerName);
    const old = await readFile(file, 'utf8');
    await openLocalStore(url);
    expect(await readFile(file, 'utf8')).toBe(old);
    const { disks } = await findDisks(folders);
    const newer = old.replace(/"epoch": \d+/, '"epoch": 7');
    await writeFile(file, newer);
    await renewOldMarkers({ present: disks, current: disks });
    expect(await readFile(file, 'utf8')).toBe(newer);
    expect(await readFile(path.join(folders[1], markerName), 'utf8')).toContain('checksum');
  });
});

test('opening amid what others change leaves no disk behind and is no doubt', async () => {
  await withFolder(async (root) => {
    const folders = foldersOf(root, 3);
    const url = urlOf(folders);
    await makeStore(folders);
    // What a process that died left, so that each open compares the names.
    const intent = path.join(folders[0], 'writing/1.intent');
    await mkdir(intent);
    let isOver = false;
    const change = async (id: string): Promise<void> => {
      const store = await openLocalStore(url);
      await store.write(`claims/${id}.0`, () => [], options);
      for (let count = 0; !isOver; count++) {
        await store.rename(`claims/${id}.${count}`, `claims/${id}.${count + 1}`);
        await put(store, `manifests/${id}${count}`);
        if (count % 2 === 0) {
          await store.remove(`manifests/${id}${count}`);
        }
      }
    };
    const changing = Promise.all([change('a'), change('b')]);
    for (let round = 0; round < 25; round++) {
      await allNames(await openLocalStore(url));
    }
    isOver = true;
    await changing;
    const { disks, doubt } = await inspectDisks(url);
    expect(doubt).toBeUndefined();
    expect(disks.map(({ state, epoch }) => [state, epoch])).toEqual(
      Array.from({ length: 3 }, () => ['current', 1]),
    );
  });
});
