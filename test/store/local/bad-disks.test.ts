// Disks that are there and bad: wrong bytes, full, read-only. The last two need mounts of their own, so root.

import { execFileSync } from 'node:child_process';
import { mkdir, open, readdir, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { disksWith, onlyCopyOn, withFolder, withStore } from './disk-folders.js';

const mebibyte = 1024 * 1024;
const blockSizeBytes = 4 * mebibyte;

async function flipBit(file: string, offsetBytes: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = new Uint8Array(1);
    await handle.read(byte, 0, 1, offsetBytes);
    byte[0] ^= 0x10;
    await handle.write(byte, 0, 1, offsetBytes);
  } finally {
    await handle.close();
  }
}

function checksumFileOf(copy: string): string {
  return path.join(path.dirname(copy), `.${path.basename(copy)}.crc`);
}

describe('a copy', () => {
  const damages: readonly (readonly [string, (copy: string) => Promise<void>])[] = [
    ['with a flipped bit', (copy) => flipBit(copy, 100_000)],
    ['that is cut short', (copy) => truncate(copy, 150_000)],
    ['that has grown', (copy) => truncate(copy, 250_000)],
    ['with a flipped bit in its checksums', (copy) => flipBit(checksumFileOf(copy), 30)],
    ['without its checksums', (copy) => rm(checksumFileOf(copy))],
  ];
  const bytes = Buffer.alloc(200_000, 'bytes of a page. ');

  for (const [sentence, damage] of damages) {
    it(`${sentence} is passed over, and alone it is corrupt`, async () => {
      await withStore(async ({ store }) => {
        await store.write('a', () => [bytes], { redundancy: copies(2), blockSizeBytes });
        const [first, second] = await disksWith(store, 'a');
        await damage(await onlyCopyOn(first));
        expect(bytes.equals(await store.read('a', 0, bytes.length))).toBe(true);
        await damage(await onlyCopyOn(second));
        await expect(store.read('a', 0, bytes.length)).rejects.toMatchObject({ code: 'corrupt' });
      });
    });
  }

  it('with a flipped bit is still good where the bit is not', async () => {
    await withStore(async ({ store }) => {
      await store.write('a', () => [bytes], { redundancy: copies(1), blockSizeBytes });
      const [disk] = await disksWith(store, 'a');
      await flipBit(await onlyCopyOn(disk), 65536);
      expect(await store.read('a', 65526, 10)).toHaveLength(10);
      await expect(store.read('a', 65527, 10)).rejects.toMatchObject({ code: 'corrupt' });
      expect(await store.read('a', 131072, 10)).toHaveLength(10);
    });
  });

  it('is stopped by abort while its content never comes', async () => {
    await withStore(async ({ store, folder }) => {
      const stalled = { next: () => new Promise<IteratorResult<Uint8Array>>(() => undefined) };
      const content = () => ({ [Symbol.asyncIterator]: () => stalled });
      const signal = AbortSignal.timeout(50);
      await expect(
        store.write('a', content, { redundancy: copies(5), blockSizeBytes, signal }),
      ).rejects.toMatchObject({ code: 'cancelled' });
      expect(await readdir(path.join(folder, 'disk1/writing'))).toEqual([]);
      expect(await readdir(path.join(folder, 'disk1/data'))).toEqual([]);
    });
  });
});

const whenRoot = process.getuid?.() === 0 ? describe : describe.skip;

/** A store on one tmpfs per given size; `use` gets the mount points in that order. */
async function withMounts(
  sizesBytes: readonly number[],
  use: (store: Store, mounts: readonly string[], url: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const mounted: string[] = [];
    try {
      for (const [index, sizeBytes] of sizesBytes.entries()) {
        const mount = path.join(folder, `mount-${index + 1}`);
        await mkdir(mount);
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'pars-test', mount]);
        mounted.push(mount);
      }
      const url = `file:///?disks=${mounted.join(',')}`;
      await use(await openLocalStore(url, { initialiseDisks: true }), mounted, url);
    } finally {
      // Lazily: a failing store may hold a file open, and the mount must not outlive the test.
      for (const mount of mounted) {
        execFileSync('umount', ['--lazy', mount]);
      }
    }
  });
}

whenRoot('a full disk', () => {
  const options = { redundancy: copies(2), blockSizeBytes };
  const bytes = Buffer.alloc(mebibyte, 1);

  it('is passed over for the next in placement order', async () => {
    await withMounts([mebibyte / 2, 16 * mebibyte, 16 * mebibyte], async (store, mounts) => {
      let callCount = 0;
      for (let index = 0; index < 6; index++) {
        const content = () => {
          callCount++;
          return [bytes];
        };
        await store.write(`pack-${index}`, content, options);
        expect([...(await disksWith(store, `pack-${index}`))].sort()).toEqual(mounts.slice(1));
        expect(await store.read(`pack-${index}`, 0, mebibyte)).toHaveLength(mebibyte);
      }
      // Some of the files would have gone to the small disk first, else this shows nothing.
      expect(callCount).toBeGreaterThan(6);
      for (const folder of ['data', 'writing']) {
        expect(await readdir(path.join(mounts[0], folder))).toEqual([]);
      }
    });
  });

  it('among full disks is no-space, and nothing is left', async () => {
    await withMounts([mebibyte / 2, mebibyte / 2, mebibyte / 2], async (store, mounts) => {
      await expect(store.write('pack', () => [bytes], options)).rejects.toMatchObject({
        code: 'no-space',
      });
      expect(await store.list('')).toEqual([]);
      for (const mount of mounts) {
        expect(await readdir(path.join(mount, 'data'))).toEqual([]);
      }
      const small = bytes.subarray(0, 100_000);
      expect(await store.write('pack', () => [small], options)).toBe(small.length);
    });
  });
});

whenRoot('a read-only disk', () => {
  const remount = (mount: string, mode: 'ro' | 'rw') =>
    execFileSync('mount', ['-o', `remount,${mode}`, mount]);
  const options = { redundancy: copies(3), blockSizeBytes };
  const content = () => [Buffer.from('abc')];

  it('keeps its copies, misses the changes, and catches up when it can be written again', async () => {
    const sizesBytes = [mebibyte, mebibyte, mebibyte];
    await withMounts(sizesBytes, async (store, mounts, url) => {
      await store.write('before', content, options);
      await store.write('removed', content, options);
      remount(mounts[0], 'ro');
      try {
        await store.write('during', content, options);
        await store.remove('removed');
        for (const reader of [store, await openLocalStore(url)]) {
          expect((await reader.list('')).map((file) => file.name)).toEqual(['before', 'during']);
          expect(await disksWith(reader, 'before')).toHaveLength(3);
          expect(await disksWith(reader, 'during')).toHaveLength(2);
        }
      } finally {
        remount(mounts[0], 'rw');
      }
      await openLocalStore(url);
      const alone = await openLocalStore(`file:///?disks=${mounts[0]}`);
      expect((await alone.list('')).map((file) => file.name)).toEqual(['before', 'during']);
    });
  });

  it('among read-only disks is permission-denied, and reading goes on', async () => {
    await withMounts([mebibyte, mebibyte], async (store, mounts, url) => {
      await store.write('before', content, options);
      for (const mount of mounts) {
        remount(mount, 'ro');
      }
      const reopened = await openLocalStore(url);
      const code = 'permission-denied';
      await expect(reopened.write('during', content, options)).rejects.toMatchObject({ code });
      await expect(reopened.remove('before')).rejects.toMatchObject({ code });
      await expect(reopened.rename('before', 'after')).rejects.toMatchObject({ code });
      expect(await reopened.read('before', 0, 3)).toEqual(Buffer.from('abc'));
    });
  });
});
