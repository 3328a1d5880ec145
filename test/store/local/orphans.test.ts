// Copies that a killed writer left without a name: an open that is asked to looks for them, and takes only what is surely
// nobody's.

import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import { copies } from '../../../src/store/redundancy.js';
import { disksWith, withStore } from './disk-folders.js';

const orphan = '0'.repeat(32);
const text = { redundancy: copies(5), blockSizeBytes: 2 ** 20 };

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

test('they go once they are a day old, and what has a name stays', async () => {
  await withStore(async ({ folder, store, url }) => {
    await store.write('kept', () => [Buffer.from('kept')], text);
    const file = path.join(folder, 'disk3/data', orphan);
    await writeFile(file, 'x');
    await openLocalStore(url, { removeOrphans: true });
    await stat(file);
    await openADayLater(url);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await disksWith(store, 'kept')).toHaveLength(5);
  });
});

test.each(['which had to be asked for', 'with a change of names broken off on it'])(
  'they stay on a disk that alone is there and may not know all names, %s',
  async (circumstance) => {
    await withStore(async ({ folder, store }) => {
      // Away while a name is given, then there with a copy of the file and without the others.
      const disk = path.join(folder, 'disk1');
      const away = path.join(folder, 'away');
      await rename(disk, away);
      await store.write('unknown-to-it', () => [Buffer.from('x')], text);
      await rename(away, disk);
      const others = ['disk2', 'disk3', 'disk4', 'disk5'].map((name) => path.join(folder, name));
      for (const other of others) {
        await rm(other, { recursive: true });
      }
      const copy = path.join(disk, 'data', orphan);
      await writeFile(copy, 'of the name that it does not know');
      if (circumstance.startsWith('with')) {
        await mkdir(path.join(disk, 'writing/1.intent'));
      }
      await openADayLater(`file:///?disks=${disk}`);
      await stat(copy);
    });
  },
);
