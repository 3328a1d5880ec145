// The files of page hashes beside the packs: one for 64 packs, written once all of them are there, and what it says is what
// the packs hold.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ParsError } from '../../introspect/pars-error.js';
import { hashesName } from '../../src/catalog/names.js';
import type { HashedFile } from '../../src/manifest/types.js';
import { decodeHashes } from '../../src/pack/hashes/decode.js';
import { packsPerHashFile } from '../../src/pack/hashes/layout.js';
import { HashFiles } from '../../src/snapshot/hash-files.js';
import type { Store } from '../../src/store/store.js';
import { changedStore } from '../catalog/changed-store.js';
import { withStore } from '../store/local/disk-folders.js';

const id = '1000000000000001';
const { signal } = new AbortController();

/** The hashes of a few pages, of which no other pack has any. */
function hashesOf(pack: number): Uint8Array {
  const bytes = Buffer.alloc((pack % 4) * 16);
  for (let at = 0; at < bytes.length; at += 16) {
    bytes.writeUInt32LE(pack * 1000 + at, at);
  }
  return new Uint8Array(bytes);
}

/** A store that only takes what is written, and keeps it by name. */
async function withWrites(
  use: (store: Store, written: ReadonlyMap<string, Buffer>) => Promise<void>,
): Promise<void> {
  await withStore(async ({ store }) => {
    const written = new Map<string, Buffer>();
    const watched = changedStore(store, {
      write: async (name, content) => {
        const pieces: Uint8Array[] = [];
        for await (const piece of content()) {
          pieces.push(piece);
        }
        if (written.has(name)) {
          throw new ParsError('already-exists', name);
        }
        written.set(name, Buffer.concat(pieces));
        return Buffer.concat(pieces).length;
      },
    });
    await use(watched, written);
  });
}

function expectHashesOf(
  files: readonly HashedFile[],
  written: ReadonlyMap<string, Buffer>,
  packCount: number,
): void {
  expect(files.map(({ name }) => name)).toEqual(
    Array.from({ length: Math.ceil(packCount / packsPerHashFile) }, (_, index) =>
      hashesName(id, index * packsPerHashFile),
    ),
  );
  expect([...written.keys()].sort()).toEqual(files.map(({ name }) => name));
  for (const [index, { name, sizeBytes, sha256 }] of files.entries()) {
    const bytes = written.get(name) ?? Buffer.alloc(0);
    expect(sizeBytes).toBe(bytes.length);
    expect(createHash('sha256').update(bytes).digest().equals(sha256)).toBe(true);
    const { firstPack, packs } = decodeHashes(bytes);
    expect(firstPack).toBe(index * packsPerHashFile);
    expect(packs.map((hashes) => new Uint8Array(hashes))).toEqual(
      Array.from({ length: Math.min(packsPerHashFile, packCount - firstPack) }, (_, pack) =>
        hashesOf(firstPack + pack),
      ),
    );
  }
}

test('whatever the order of the packs, each file is written when its last pack is there, and says what was added', async () => {
  const orders = fc
    .integer({ min: 1, max: 3 * packsPerHashFile })
    .chain((packCount) =>
      fc.shuffledSubarray([...Array(packCount).keys()], { minLength: packCount }),
    );
  await withWrites(async (store, writtenByAll) => {
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        const written = writtenByAll as Map<string, Buffer>;
        written.clear();
        const packCount = order.length;
        const files = new HashFiles({ store, id, packCount, signal });
        const added = new Set<number>();
        for (const pack of order) {
          await files.add(pack, hashesOf(pack));
          added.add(pack);
          const firstPack = pack - (pack % packsPerHashFile);
          const end = Math.min(firstPack + packsPerHashFile, packCount);
          const isWhole = Array.from(
            { length: end - firstPack },
            (_, index) => firstPack + index,
          ).every((other) => added.has(other));
          expect(written.has(hashesName(id, firstPack))).toBe(isWhole);
        }
        expectHashesOf(files.written(), written, packCount);
      }),
      { numRuns: 30 },
    );
  });
});

test('packs that are added while others are being written are not mixed up', async () => {
  await withWrites(async (store, written) => {
    const packCount = 2 * packsPerHashFile + 5;
    const files = new HashFiles({ store, id, packCount, signal });
    await Promise.all(
      Array.from({ length: packCount }, (_, pack) => files.add(pack, hashesOf(pack))),
    );
    expectHashesOf(files.written(), written, packCount);
  });
});

test('a snapshot without a pack has no file', async () => {
  await withWrites((store, written) => {
    expect(new HashFiles({ store, id, packCount: 0, signal }).written()).toEqual([]);
    expect(written.size).toBe(0);
    return Promise.resolve();
  });
});

test('a file lies in the store under its name, whole, and kept once', async () => {
  await withStore(async ({ store }) => {
    const files = new HashFiles({ store, id, packCount: 1, signal });
    await files.add(0, hashesOf(3));
    const [{ name, sizeBytes }] = files.written();
    expect(name).toBe(`packs/${id}/000000.hashes`);
    expect(await store.stat(name)).toMatchObject({ sizeBytes });
    const { packs } = decodeHashes(await store.read(name, 0, sizeBytes));
    expect(packs.map((hashes) => new Uint8Array(hashes))).toEqual([hashesOf(3)]);
    const blocks = await store.blocks(name);
    expect(blocks.map(({ locations }) => locations.length)).toEqual([1]);
  });
});

test('a store that fails fails the pack that completes a file, and the file is none', async () => {
  await withStore(async ({ store }) => {
    const gone = new ParsError('unavailable', 'the store went away');
    const failing = changedStore(store, { write: () => Promise.reject(gone) });
    const files = new HashFiles({ store: failing, id, packCount: 2, signal });
    await files.add(1, hashesOf(1));
    await expect(files.add(0, hashesOf(0))).rejects.toBe(gone);
    expect(files.written()).toEqual([]);
  });
});
