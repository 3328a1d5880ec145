// Losing a disk means what losing a node means to HDFS, and a disk that comes back brings no old names with it.

import { access, mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { UnreachableCopies } from '../../../src/store/unreachable.js';
import { disksWith, onlyCopyOn, withFolder, withStore } from './disk-folders.js';

const blockSizeBytes = 1024 * 1024;

async function writeText(store: Store, name: string, replication: number): Promise<void> {
  await store.write(name, () => [Buffer.from(name)], {
    redundancy: copies(replication),
    blockSizeBytes,
  });
}

async function readText(store: Store, name: string): Promise<string> {
  return Buffer.from(await store.read(name, 0, name.length)).toString();
}

async function lose(disk: string): Promise<void> {
  await rename(disk, `${disk}.lost`);
}

async function bringBack(disk: string): Promise<void> {
  await rename(`${disk}.lost`, disk);
}

async function namesIn(store: Store, folder: string): Promise<readonly string[]> {
  return (await store.list(folder)).map((file) => file.name);
}

const diskNumbers = [1, 2, 3, 4, 5];

describe('losing disks', () => {
  it('loses nothing at replication 2 when it is any one disk', async () => {
    await withStore(async ({ folder, store, url }) => {
      const names = Array.from({ length: 20 }, (_, index) => `packs/${index}`);
      for (const name of names) {
        await writeText(store, name, 2);
      }
      for (const diskNumber of diskNumbers) {
        const disk = path.join(folder, `disk${diskNumber}`);
        await lose(disk);
        for (const reader of [store, await openLocalStore(url)]) {
          for (const name of names) {
            expect(await readText(reader, name)).toBe(name);
          }
          expect(await reader.list('packs')).toHaveLength(names.length);
        }
        await expect(access(disk)).rejects.toMatchObject({ code: 'ENOENT' });
        await bringBack(disk);
      }
    });
  });

  it('that hold all copies is data-lost at once, and the file is still known', async () => {
    await withStore(async ({ store, url }) => {
      for (const replication of [1, 2, 4]) {
        const name = `file-${replication}`;
        await writeText(store, name, replication);
        const disks = await disksWith(store, name);
        expect(disks).toHaveLength(replication);
        await Promise.all(disks.map(lose));
        for (const reader of [store, await openLocalStore(url)]) {
          const startMs = performance.now();
          await expect(readText(reader, name)).rejects.toMatchObject({ code: 'data-lost' });
          expect(performance.now() - startMs).toBeLessThan(10_000);
          expect(await disksWith(reader, name)).toEqual([]);
          expect(await reader.stat(name)).toMatchObject({ kind: 'file', sizeBytes: name.length });
          await expect(readText(reader, 'other')).rejects.toMatchObject({ code: 'not-found' });
        }
        await Promise.all(disks.map(bringBack));
        expect(await readText(store, name)).toBe(name);
      }
    });
  });

  it('of all five is unavailable', async () => {
    await withStore(async ({ folder, store }) => {
      await writeText(store, 'a', 5);
      await Promise.all(
        diskNumbers.map((diskNumber) => lose(path.join(folder, `disk${diskNumber}`))),
      );
      await expect(store.read('a', 0, 1)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(store.remove('a')).rejects.toMatchObject({ code: 'unavailable' });
      await expect(writeText(store, 'b', 1)).rejects.toMatchObject({ code: 'unavailable' });
    });
  });

  it('leaves as many copies as there are disks, and blocks tell so', async () => {
    await withStore(async ({ folder, store }) => {
      await writeText(store, 'before', 9);
      expect(await disksWith(store, 'before')).toHaveLength(5);
      for (const diskNumber of [1, 3, 4]) {
        await lose(path.join(folder, `disk${diskNumber}`));
      }
      await writeText(store, 'after', 3);
      expect([...(await disksWith(store, 'after'))].sort()).toEqual([
        path.join(folder, 'disk2'),
        path.join(folder, 'disk5'),
      ]);
    });
  });

  it('that are not mounted puts their only copies out of reach, and loses none', async () => {
    await withStore(async ({ store, url }) => {
      await writeText(store, 'once', 1);
      const [disk] = await disksWith(store, 'once');
      await lose(disk);
      // What is left is the mount point.
      await mkdir(disk);
      for (const reader of [store, await openLocalStore(url)]) {
        await expect(readText(reader, 'once')).rejects.toBeInstanceOf(UnreachableCopies);
        await expect(readText(reader, 'once')).rejects.toThrow(disk);
        const [block] = await reader.blocks('once');
        expect(block.locations).toEqual([]);
        expect(block.unreachable).toEqual([expect.stringContaining(disk)]);
      }
      await rmdir(disk);
      await bringBack(disk);
      expect(await readText(store, 'once')).toBe('once');
    });
  });

  it('at listed mount points, which may lie on what is not mounted, loses none either', async () => {
    await withFolder(async (folder) => {
      const disks = ['a', 'b', 'c'].map((name) => path.join(folder, name));
      for (const disk of disks) {
        await mkdir(disk);
      }
      const url = `file:///?disks=${disks.join(',')}`;
      const store = await openLocalStore(url, { initialiseDisks: true });
      await writeText(store, 'once', 1);
      const [disk] = await disksWith(store, 'once');
      await lose(disk);
      await expect(readText(store, 'once')).rejects.toBeInstanceOf(UnreachableCopies);
      await bringBack(disk);
      // One that is there and does not have its copy has lost it.
      await rm(await onlyCopyOn(disk));
      await expect(readText(store, 'once')).rejects.toMatchObject({ code: 'data-lost' });
      expect((await store.blocks('once'))[0]).toMatchObject({ locations: [], unreachable: [] });
    });
  });

  it('as unmounting does, with the empty mount point left, writes nothing there', async () => {
    await withStore(async ({ folder, store, url }) => {
      const disk = path.join(folder, 'disk1');
      await lose(disk);
      await mkdir(disk);
      await writeText(store, 'a/b', 5);
      await (await openLocalStore(url)).close();
      expect(await readdir(disk)).toEqual([]);
    });
  });
});

describe('a disk that comes back', () => {
  for (const diskNumber of [1, 5]) {
    it(`as disk ${diskNumber} has missed changes and decides nothing`, async () => {
      await withStore(async ({ folder, store, url }) => {
        for (const name of ['x/removed', 'x/from', 'x/rewritten', 'x/kept']) {
          await writeText(store, name, 5);
        }
        const disk = path.join(folder, `disk${diskNumber}`);
        await lose(disk);
        await store.remove('x/removed');
        await store.rename('x/from', 'x/to');
        await store.remove('x/rewritten');
        await store.write('x/rewritten', () => [Buffer.from('anew')], {
          redundancy: copies(1),
          blockSizeBytes,
        });
        await writeText(store, 'x/new', 5);
        await bringBack(disk);

        const names = ['x/kept', 'x/new', 'x/rewritten', 'x/to'];
        expect(await namesIn(store, 'x')).toEqual(names);
        expect(await namesIn(await openLocalStore(url), 'x')).toEqual(names);

        // Caught up by that open, it knows all of it alone.
        const alone = await openLocalStore(`file:///?disks=${disk}`);
        expect(await namesIn(alone, 'x')).toEqual(names);
        expect(await readText(alone, 'x/kept')).toBe('x/kept');
        expect((await store.stat('x/rewritten'))?.sizeBytes).toBe(4);
        expect(Buffer.from(await alone.read('x/to', 0, 6)).toString()).toBe('x/from');
      });
    });
  }

  it('after both sides were changed alone is refused, and nothing is dropped', async () => {
    await withStore(async ({ folder, store, url }) => {
      const disk = path.join(folder, 'disk2');
      await lose(disk);
      await writeText(store, 'here', 5);
      const alone = await openLocalStore(`file:///?disks=${disk}.lost`);
      await writeText(alone, 'there-1', 1);
      await lose(path.join(folder, 'disk4'));
      await writeText(store, 'here-2', 5);
      await bringBack(disk);
      await expect(openLocalStore(url)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('while the other was away') as string,
      });
    });
  });
});

describe('a process that dies', () => {
  it('amid a change leaves disks that the next open brings together', async () => {
    await withStore(async ({ folder, store, url }) => {
      await writeText(store, 'a/published', 5);
      await writeText(store, 'a/removed', 5);
      // As it is when only the deciding disk has got the publication and the removal.
      const disks = diskNumbers.map((diskNumber) => path.join(folder, `disk${diskNumber}`));
      for (const disk of disks.slice(1)) {
        await rm(path.join(disk, 'names/a/published'), { recursive: true });
      }
      await rename(path.join(disks[0], 'names/a/removed'), path.join(disks[0], 'removed/1'));
      await mkdir(path.join(disks[0], 'writing/1.intent'));

      await openLocalStore(url);
      for (const disk of disks) {
        const alone = await openLocalStore(`file:///?disks=${disk}`);
        expect(await namesIn(alone, 'a')).toEqual(['a/published']);
      }
    });
  });

  it('leaves bytes that are removed once they are a day old, and not before', async () => {
    await withStore(async ({ folder, store, url }) => {
      await writeText(store, 'kept', 5);
      const disk = path.join(folder, 'disk3');
      const orphan = '0'.repeat(32);
      const folders = ['writing/1.intent', 'removed/1'];
      const files = ['writing/half', `data/${orphan}`, `data/.${orphan}.crc`];
      for (const leftover of folders) {
        await mkdir(path.join(disk, leftover));
      }
      for (const leftover of files) {
        await writeFile(path.join(disk, leftover), 'x');
      }
      const leftovers = [...folders, ...files];

      await openLocalStore(url);
      for (const file of leftovers) {
        await stat(path.join(disk, file));
      }

      const now = Date.now;
      Date.now = () => now() + 25 * 3600 * 1000;
      try {
        await openLocalStore(url);
      } finally {
        Date.now = now;
      }
      for (const file of leftovers) {
        await expect(stat(path.join(disk, file))).rejects.toMatchObject({ code: 'ENOENT' });
      }
      expect(await readText(store, 'kept')).toBe('kept');
      expect(await disksWith(store, 'kept')).toHaveLength(5);
    });
  });
});

describe('making disks', () => {
  it('of listed mount points happens only when asked for', async () => {
    await withFolder(async (folder) => {
      const disks = ['a', 'b', 'c'].map((name) => path.join(folder, name));
      for (const disk of disks) {
        await mkdir(disk);
      }
      const url = `file:///?disks=${disks.join(',')}`;
      await expect(openLocalStore(url)).rejects.toMatchObject({ code: 'unavailable' });
      const store = await openLocalStore(url, { initialiseDisks: true });
      await writeText(store, 'x', 3);

      await rm(disks[1], { recursive: true });
      await mkdir(disks[1]);
      expect(await disksWith(await openLocalStore(url), 'x')).toEqual(
        expect.not.arrayContaining([disks[1]]),
      );
      expect(await readdir(disks[1])).toEqual([]);

      const replaced = await openLocalStore(url, { initialiseDisks: true });
      await writeText(replaced, 'y', 3);
      expect(await disksWith(replaced, 'y')).toHaveLength(3);
      expect(await disksWith(replaced, 'x')).toHaveLength(2);
      const alone = await openLocalStore(`file:///?disks=${disks[1]}`);
      expect(await namesIn(alone, '')).toEqual(['x', 'y']);
      // The disk that has it is not listed, and nobody said that it is gone.
      await expect(readText(alone, 'x')).rejects.toMatchObject({ code: 'unavailable' });
      expect((await alone.blocks('x'))[0]).toMatchObject({
        locations: [],
        unreachable: expect.arrayContaining([
          expect.stringContaining('at none of the folders listed'),
        ]) as unknown,
      });
    });
  });

  it('refuses a folder with other files, a missing mount point, and disks of two stores', async () => {
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, 'one/disk2/foreign'), { recursive: true });
      await expect(openLocalStore(`file://${folder}/one`)).rejects.toMatchObject({ code: 'usage' });
      await expect(
        openLocalStore(`file:///?disks=${folder}/missing`, { initialiseDisks: true }),
      ).rejects.toMatchObject({ code: 'usage' });
      await openLocalStore(`file://${folder}/two`);
      await openLocalStore(`file://${folder}/three`);
      await expect(
        openLocalStore(`file:///?disks=${folder}/two/disk1,${folder}/three/disk2`),
      ).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('two stores') as string,
      });
    });
  });

  it('and writing leaves folders and files that only the user can enter', async () => {
    await withStore(async ({ folder, store }) => {
      await writeText(store, 'x/y', 5);
      const disk = path.join(folder, 'disk1');
      for (const entry of await readdir(disk, { recursive: true, withFileTypes: true })) {
        const { mode } = await stat(path.join(entry.parentPath, entry.name));
        expect(mode & 0o777).toBe(entry.isDirectory() ? 0o700 : 0o600);
      }
      expect((await stat(disk)).mode & 0o777).toBe(0o700);
    });
  });
});

describe('two stores opened on the same disks', () => {
  it('see each other, and one of two writes of a name wins', async () => {
    await withStore(async ({ store, url }) => {
      const other = await openLocalStore(url);
      const outcomes = await Promise.allSettled(
        [store, other, store, other].map((each) => writeText(each, 'a/b', 3)),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect(await readText(other, 'a/b')).toBe('a/b');
      await other.rename('a', 'c');
      expect(await readText(store, 'c/b')).toBe('a/b');
      await expect(store.rename('c', 'c/d')).rejects.toMatchObject({ code: 'usage' });
    });
  });
});
