// First uploads race to make a store: there is one in the end, whoever won, and nobody is told of a fault that is none.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import { copies } from '../../../src/store/redundancy.js';
import { withFolder } from './disk-folders.js';

const diskNames = ['disk1', 'disk2', 'disk3', 'disk4', 'disk5'];

async function markersBelow(folder: string) {
  return await Promise.all(
    diskNames.map(
      async (disk) =>
        JSON.parse(await readFile(path.join(folder, disk, 'pars-disk.json'), 'utf8')) as {
          storeId: string;
          diskNumber: number;
          epoch: number;
        },
    ),
  );
}

async function expectOneWholeStore(folder: string): Promise<void> {
  const markers = await markersBelow(folder);
  expect(new Set(markers.map(({ storeId }) => storeId)).size).toBe(1);
  expect(markers.map(({ diskNumber }) => diskNumber)).toEqual([1, 2, 3, 4, 5]);
  await expect(readFile(path.join(folder, 'disk1/making'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
}

test('many who open a new store at once make one, and each can write to all its disks', async () => {
  await withFolder(async (folder) => {
    for (let round = 0; round < 5; round++) {
      const root = path.join(folder, `store${round}`);
      const stores = await Promise.all(
        Array.from({ length: 8 }, () => openLocalStore(`file://${root}`)),
      );
      await expectOneWholeStore(root);
      await Promise.all(
        stores.map((store, index) =>
          store.write(`files/${index}`, () => [Buffer.from('x')], {
            redundancy: copies(5),
            blockSizeBytes: 512,
          }),
        ),
      );
      for (const [index] of stores.entries()) {
        const [block] = await stores[0].blocks(`files/${index}`);
        expect(block.locations).toHaveLength(5);
      }
    }
  });
});

test('disks that are listed are taken in once, by whoever asks for it at the same moment', async () => {
  await withFolder(async (folder) => {
    for (const disk of diskNames) {
      await mkdir(path.join(folder, disk));
    }
    const url = `file:///?disks=${diskNames.map((disk) => path.join(folder, disk)).join(',')}`;
    await Promise.all(
      Array.from({ length: 6 }, () => openLocalStore(url, { initialiseDisks: true })),
    );
    await expectOneWholeStore(folder);
  });
});

test.each([0, 1, 3])(
  'a maker that was killed when %i disks had their marker is no hindrance',
  async (markerCount) => {
    await withFolder(async (folder) => {
      await openLocalStore(`file://${folder}`);
      const [{ storeId }] = await markersBelow(folder);
      for (const disk of diskNames.slice(0, diskNames.length - markerCount)) {
        await rm(path.join(folder, disk, 'pars-disk.json'));
      }
      await mkdir(path.join(folder, 'disk1/making'));
      await writeFile(path.join(folder, 'disk1/making', storeId), '');

      await openLocalStore(`file://${folder}`);
      await expectOneWholeStore(folder);
      expect((await markersBelow(folder))[0].storeId).toBe(storeId);
    });
  },
);

test('what is called like the folder of making and is not ours is refused and stays', async () => {
  await withFolder(async (folder) => {
    await mkdir(path.join(folder, 'disk1/making'), { recursive: true });
    await writeFile(path.join(folder, 'disk1/making/mine'), 'mine');
    await expect(openLocalStore(`file://${folder}`)).rejects.toMatchObject({ code: 'usage' });
    expect(await readFile(path.join(folder, 'disk1/making/mine'), 'utf8')).toBe('mine');
  });
});

test('a disk that is lost is not made anew because a maker was killed at its very end', async () => {
  await withFolder(async (folder) => {
    const store = await openLocalStore(`file://${folder}`);
    const [{ storeId }] = await markersBelow(folder);
    await store.write('kept', () => [Buffer.from('kept')], {
      redundancy: copies(5),
      blockSizeBytes: 512,
    });
    await mkdir(path.join(folder, 'disk2/making'));
    await rm(path.join(folder, 'disk1'), { recursive: true });
    await mkdir(path.join(folder, 'disk1/making'), { recursive: true });
    await writeFile(path.join(folder, 'disk1/making', storeId), '');
    const reopened = await openLocalStore(`file://${folder}`);
    expect(await reopened.stat('kept')).toBeDefined();
  });
});
