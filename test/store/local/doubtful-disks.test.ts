// Disks that say what cannot be: flipped bits, copies of disks, older states. No name is lost, or it is an error that
// changes nothing and says how to settle it.

import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeMarker, type DiskMarker } from '../../../src/store/local/disks/marker.js';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import { judgeDisks } from '../../../src/store/local/membership/membership.js';
import {
  bringBack,
  inspectDisks,
  settleDisks,
} from '../../../src/store/local/membership/settle-disks.js';
import {
  allNames,
  finalNames,
  foldersOf,
  makeAwayStore,
  makeMarkersOld,
  makeStore,
  markerFlips,
  markerName,
  nameFlips,
  put,
  stateOf,
  tryDamages,
  urlOf,
} from './damaged-disks.js';
import { withFolder } from './disk-folders.js';

const testTimeoutMs = 240_000;

function behaves(sentence: string, check: (folder: string) => Promise<void>): void {
  it(sentence, () => withFolder(check), testTimeoutMs);
}

async function editMarker(folder: string, from: string, to: string): Promise<void> {
  const file = path.join(folder, markerName);
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}

async function refusal(url: string): Promise<string> {
  const error = await openLocalStore(url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'ParsError' });
  return (error as Error).message;
}

describe('a disk that was away and comes back', () => {
  for (const version of [1, 2]) {
    behaves(
      `with epoch 1 read as 9 in a marker of version ${version} takes nothing with it`,
      async (root) => {
        const folders = await makeAwayStore(root, 3);
        if (version === 1) {
          await makeMarkersOld(folders);
        }
        const before = await stateOf(root);
        await editMarker(folders[2], '"epoch": 1', '"epoch": 9');
        const message = await refusal(urlOf(folders));
        for (const folder of folders.slice(0, 2)) {
          expect(message).toContain(folder);
        }
        expect(message).toContain('epoch 2');
        expect(message).toContain('pars disks --store URL --trust FOLDER');
        await editMarker(folders[2], '"epoch": 9', '"epoch": 1');
        expect(await stateOf(root)).toBe(before);
        expect(await allNames(await openLocalStore(urlOf(folders)))).toEqual(finalNames);
      },
    );
  }

  behaves('has what was removed meanwhile set aside, and it can be brought back', async (root) => {
    const folders = await makeAwayStore(root, 3);
    const store = await openLocalStore(urlOf(folders));
    expect(await allNames(store)).toEqual(finalNames);
    const { disks } = await inspectDisks(urlOf(folders));
    expect(disks.map((disk) => [disk.state, disk.nameCount, disk.setAsideCount])).toEqual([
      ['current', 3, 0],
      ['current', 3, 0],
      ['current', 3, 2],
    ]);
    const { broughtBack } = await bringBack(urlOf(folders));
    expect(broughtBack).toContain('manifests/removed');
    expect(Buffer.from(await store.read('manifests/removed', 0, 9)).toString()).toBe('manifests');
  });

  behaves(
    'to disks that were put back to an older state brings an error, not a loss',
    async (root) => {
      const folders = foldersOf(root, 2);
      const store = await makeStore(folders);
      await put(store, 'manifests/old');
      await cp(folders[0], `${folders[0]}.older`, { recursive: true });
      await put(store, 'manifests/precious');
      await rename(folders[1], `${folders[1]}.away`);
      await rm(folders[0], { recursive: true });
      await rename(`${folders[0]}.older`, folders[0]);
      await put(store, 'manifests/newest');
      await rename(`${folders[1]}.away`, folders[1]);
      const before = await stateOf(root);
      expect(await refusal(urlOf(folders))).toContain('manifests/precious');
      expect(await stateOf(root)).toBe(before);

      await settleDisks(urlOf(folders), folders[0], { keepsAll: true });
      const names = ['manifests/newest', 'manifests/old', 'manifests/precious'];
      expect(await allNames(await openLocalStore(urlOf(folders)))).toEqual(names);
    },
  );
});

describe('disks that do not agree', () => {
  behaves('are an error when one of them was put back to an older state', async (root) => {
    for (const index of [0, 2]) {
      const folders = foldersOf(path.join(root, String(index)), 3);
      const store = await makeStore(folders);
      await put(store, 'manifests/a');
      await cp(folders[index], `${folders[index]}.older`, { recursive: true });
      await put(store, 'manifests/b');
      await rm(folders[index], { recursive: true });
      await rename(`${folders[index]}.older`, folders[index]);
      const reopened = await openLocalStore(urlOf(folders));
      await expect(reopened.list('manifests')).rejects.toMatchObject({ code: 'corrupt' });
      await expect(reopened.stat('manifests/b')).rejects.toMatchObject({ code: 'corrupt' });
      expect((await inspectDisks(urlOf(folders))).doubt?.message).toContain('manifests/b');

      await settleDisks(urlOf(folders), folders[1]);
      expect(await allNames(await openLocalStore(urlOf(folders)))).toHaveLength(2);
    }
  });

  behaves('are an error when one of them lost all its names', async (root) => {
    const folders = foldersOf(root, 3);
    await put(await makeStore(folders), 'manifests/a');
    await rm(path.join(folders[0], 'names/manifests'), { recursive: true });
    const emptied = await openLocalStore(urlOf(folders));
    await expect(emptied.list('')).rejects.toMatchObject({ code: 'corrupt' });
    await rm(path.join(folders[0], 'names'), { recursive: true });
    await expect(allNames(emptied)).rejects.toMatchObject({ code: 'corrupt' });
  });

  behaves(
    'are an error when one is a copy of another, and its names are not taken',
    async (root) => {
      const folders = await makeAwayStore(root, 3);
      await rename(folders[1], `${folders[1]}.kept`);
      await cp(folders[2], folders[1], { recursive: true });
      const message = await refusal(urlOf(folders));
      expect(message).toContain(folders[1]);
      expect(message).toContain(folders[2]);
      expect(await refusal(urlOf(folders))).toContain('copy');
    },
  );

  behaves('may have changed places, and an empty one among them stays empty', async (root) => {
    const folders = await makeAwayStore(root, 4);
    await rename(folders[0], path.join(root, 'x'));
    await rename(folders[3], folders[0]);
    await rename(path.join(root, 'x'), folders[3]);
    await rm(folders[1], { recursive: true });
    await mkdir(folders[1]);
    expect(await allNames(await openLocalStore(urlOf(folders)))).toEqual(finalNames);
  });

  behaves(
    'are settled by the one that is trusted, also when markers and names are damaged',
    async (root) => {
      const folders = await makeAwayStore(root, 3);
      await editMarker(folders[2], '"epoch": 1', '"epoch": 9');
      await rename(
        path.join(folders[1], 'names/manifests/kept'),
        path.join(folders[1], 'names/manifests/ke,t'),
      );
      await expect(settleDisks(urlOf(folders), folders[2])).rejects.toMatchObject({
        code: 'usage',
      });
      await settleDisks(urlOf(folders), folders[0]);
      expect((await inspectDisks(urlOf(folders))).doubt).toBeUndefined();
      for (const folder of folders) {
        const store = await openLocalStore(urlOf([folder]));
        expect(await allNames(store)).toEqual(finalNames);
      }
    },
  );
});

describe('markers without a checksum', () => {
  behaves('are read, and get one at the first open at which they agree', async (root) => {
    const folders = foldersOf(root, 3);
    await put(await makeStore(folders), 'manifests/a');
    await makeMarkersOld(folders);
    expect(await allNames(await openLocalStore(urlOf(folders)))).toEqual(['manifests/a']);
    for (const folder of folders) {
      const text = await readFile(path.join(folder, markerName), 'utf8');
      expect(decodeMarker(text, folder)).toMatchObject({ hasChecksum: true, epoch: 1 });
    }
  });
});

describe('no flipped bit', () => {
  behaves('of a marker makes another marker', async (root) => {
    const folders = await makeAwayStore(root, 2);
    for (const folder of folders) {
      const bytes = await readFile(path.join(folder, markerName));
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] ^= 1 << (bit & 7);
        expect(() => decodeMarker(flipped.toString(), folder)).toThrow(folder);
      }
    }
  });

  behaves(
    'of an old marker of the disk that was away, or of a name on it, costs a name',
    async (root) => {
      const template = path.join(root, 'template');
      await makeMarkersOld(await makeAwayStore(template, 3));
      const damages = [...(await markerFlips(template, [3])), ...(await nameFlips(template, [3]))];
      // All of them take minutes: each seventh, from the first on, has every bit of a byte in turn.
      const some = damages.filter((_, index) => index % 7 === 0);
      const tally = await tryDamages(template, 3, some, path.join(root, 'scratch'));
      expect(tally.wrong).toEqual([]);
      expect(tally.refused).toBeGreaterThan(100);
      expect(tally.right).toBeGreaterThan(0);
    },
  );
});

describe('which disks are current', () => {
  const marker = (diskNumber: number, epoch: number, more: Partial<DiskMarker> = {}) => ({
    folder: `/d${diskNumber}`,
    marker: {
      storeId: 'store',
      diskNumber,
      maxDiskNumber: 3,
      epoch,
      leftBehind: {},
      followers: {},
      hasChecksum: true,
      ...more,
    },
  });

  it('is told by the highest epoch when it accounts for the others', () => {
    const left = { leftBehind: { 3: 1 }, followers: { 1: 1, 2: 1 } };
    const disks = [marker(1, 2, left), marker(2, 1), marker(3, 1)];
    // Disk 2 missed the marker, disk 3 was away.
    expect(judgeDisks(disks).current.map(({ folder }) => folder)).toEqual(['/d1']);
    expect(judgeDisks([...disks.slice(0, 1), marker(3, 0)]).current).toHaveLength(1);
    expect(judgeDisks([marker(1, 2, left), marker(4, 0)]).current).toHaveLength(1);
  });

  it.each([
    ['claims an epoch that accounts for nobody', [marker(1, 2), marker(2, 2), marker(3, 9)]],
    ['says something else of the others', [marker(1, 2), marker(2, 2, { leftBehind: { 3: 1 } })]],
    ['is said not to follow', [marker(1, 2, { leftBehind: { 1: 1 } })]],
    ['has a number that was never given', [marker(1, 2), marker(7, 2)]],
    ['is new and has an epoch', [marker(1, 2), marker(4, 1)]],
  ])('is in doubt where one %s', (_, disks) => {
    expect(() => judgeDisks(disks)).toThrow('--trust');
  });
});
