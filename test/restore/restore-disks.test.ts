// Disks that were stored with a snapshot come back to the byte, as sparse as they were; what of them is lost is told and
// never healed, and they give RAM the pages that they hold.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { ImageView } from '../../introspect/memory/image-view.js';
import { labelNumbers, type PageLabel } from '../../introspect/page-class.js';
import type { Manifest } from '../../src/manifest/types.js';
import { usedFrames } from '../../src/manifest/used-frames.js';
import { defaultPolicy, namedPolicies, type Policy } from '../../src/plan/policy.js';
import type { RestoredFiles, RestoreResult } from '../../src/restore/restore-result.js';
import { restoreSnapshot } from '../../src/restore/restore-snapshot.js';
import type { DiskToStore } from '../../src/snapshot/disk-to-store.js';
import { takeSnapshot } from '../../src/snapshot/take-snapshot.js';
import type { Store } from '../../src/store/store.js';
import { verifySnapshot } from '../../src/verify/verify-snapshot.js';
import { flipStoredBit, LocalStoreFolder } from '../e2e/local-store-folder.js';
import { withFolder, withStore } from '../store/local/disk-folders.js';

const pageBytes = 4096;
const windowBytes = 64 * pageBytes;
/** A pack holds one window. */
const blockSizeBytes = 512 * 1024;

/** Each page another one. */
function patterned(pageCount: number): Buffer {
  const bytes = Buffer.alloc(pageCount * pageBytes);
  for (let page = 0; page < pageCount; page++) {
    bytes.fill(`page ${page};`, page * pageBytes, (page + 1) * pageBytes);
  }
  return bytes;
}

const ram = patterned(64);

function diskFile(folder: string, name: string, bytes: Uint8Array): DiskToStore {
  const diskPath = path.join(folder, `source-${name}`);
  writeFileSync(diskPath, bytes);
  return { name, path: diskPath, sourcePath: `/vms/${name}`, sourceFormat: 'qcow2' };
}

async function store64(
  store: Store,
  disks: readonly DiskToStore[],
  { label = 'anon', policy = defaultPolicy }: { label?: PageLabel; policy?: Policy } = {},
): Promise<Manifest> {
  const regions = [{ gpaStart: 0, sizeBytes: ram.length, imageOffset: 0 }];
  const page = Uint32Array.from({ length: 64 }, (_, index) => index);
  const hashes = [...page].map((index) =>
    createHash('sha256')
      .update(ram.subarray(index * pageBytes, (index + 1) * pageBytes))
      .digest()
      .subarray(0, 16),
  );
  const { manifest } = await takeSnapshot({
    store,
    memory: new ImageView(regions, (offset, target) => {
      target.set(ram.subarray(offset, offset + target.length));
    }),
    map: {
      regions,
      labels: new Uint8Array(64).fill(labelNumbers[label]),
      evidence: { kind: 'complete' },
      warnings: [],
      kernel: undefined,
      // The disk vda holds RAM, page by page, from its second window on.
      ...(label === 'disk-held'
        ? {
            diskHeld: {
              disks: [{ name: 'vda', sizeBytes: 2 * windowBytes }],
              page,
              disk: new Uint8Array(64),
              offsetBytes: Float64Array.from(page, (index) => windowBytes + index * pageBytes),
              hash: Buffer.concat(hashes),
            },
          }
        : {}),
    },
    policy,
    vm: 'vm',
    state: { sizeBytes: 5, content: () => [Buffer.from('state')] },
    disks,
    blockSizeBytes,
  });
  return manifest;
}

function filesOf(result: RestoreResult): RestoredFiles {
  if (result.kind !== 'files') {
    throw new Error(`expected files, found ${result.kind}`);
  }
  return result;
}

/** The packs of a space, by its place in the manifest. */
function packsOf({ header, frames, spaces }: Manifest, space: number): readonly string[] {
  const used = usedFrames(frames, [spaces[space]]).map((frame) => frames.pack[frame]);
  return [...new Set(used)].map((pack) => header.packs[pack].name);
}

test('any disks come back to the byte, of their exact size and with holes where they are zero', async () => {
  const disks = fc.array(
    fc.record({
      pages: fc.array(fc.boolean(), { minLength: 1, maxLength: 150 }),
      /** Bytes that are missing from the last page. */
      cutBytes: fc.constantFrom(0, 0, 512, 4095 - 512),
    }),
    { minLength: 1, maxLength: 3 },
  );
  await withStore(async ({ store }) => {
    await fc.assert(
      fc.asyncProperty(disks, async (drawn) => {
        await withFolder(async (folder) => {
          const contents = drawn.map(({ pages, cutBytes }) => {
            const bytes = patterned(pages.length);
            pages.forEach((isData, page) => {
              if (!isData) {
                bytes.fill(0, page * pageBytes, (page + 1) * pageBytes);
              }
            });
            return bytes.subarray(0, bytes.length - cutBytes);
          });
          const sources = contents.map((bytes, index) => diskFile(folder, `vd${index}`, bytes));
          const manifest = await store64(store, sources);
          const out = path.join(folder, 'out');
          const request = { store, manifest, folder: out, allowLost: false };
          const result = filesOf(await restoreSnapshot(request));
          expect(result).toMatchObject({ lost: [], lostOnDisks: [] });
          expect(result.diskPaths).toEqual(
            sources.map(({ name }) => ({
              name,
              path: path.join(out, `disk-${name}.img`),
              sourcePath: `/vms/${name}`,
              sourceFormat: 'qcow2',
            })),
          );
          const restored = result.diskPaths.map((disk) => readFileSync(disk.path));
          expect(restored.map((bytes, index) => bytes.equals(contents[index]))).toEqual(
            contents.map(() => true),
          );
          result.diskPaths.forEach((disk, index) => {
            const { mode, blocks } = statSync(disk.path);
            expect(mode & 0o777).toBe(0o600);
            const dataPages = drawn[index].pages.filter(Boolean).length;
            expect(blocks * 512).toBeLessThanOrEqual(dataPages * pageBytes);
          });
          expect(readFileSync(path.join(out, 'ram')).equals(ram)).toBe(true);
        });
      }),
      { numRuns: 15 },
    );
  });
});

test('a lost pack of a disk stops the restore, unless lost pages are allowed or disks are left out', async () => {
  await withStore(async ({ store, folder: storeFolder }) => {
    await withFolder(async (folder) => {
      const bytes = patterned(192);
      const manifest = await store64(store, [diskFile(folder, 'vda', bytes)]);
      const [, second] = packsOf(manifest, 1);
      new LocalStoreFolder(storeFolder).copiesOf(second).forEach((copy) => {
        rmSync(copy);
      });
      const label = labelNumbers.disk;
      const lostOnDisks = [
        { name: 'vda', lost: [{ firstPage: 64, pageCount: 64, label, reason: 'lost' }] },
      ];

      for (const readData of [false, true]) {
        const verified = await verifySnapshot({ store, manifest, readData });
        expect(verified).toMatchObject({ lost: [], lostOnDisks });
        expect(verified.scenarios[0]).toMatchObject({
          lostByLabel: { disk: 64 },
          verdict: 'does-not-resume',
        });
      }
      const out = path.join(folder, 'out');
      const request = { store, manifest, folder: out };
      const refused = await restoreSnapshot({ ...request, allowLost: false });
      expect(refused).toMatchObject({ kind: 'refused', lostOnDisks });

      const allowed = filesOf(await restoreSnapshot({ ...request, allowLost: true }));
      expect(allowed).toMatchObject({ lost: [], lostOnDisks });
      bytes.fill(0, windowBytes, 2 * windowBytes);
      expect(readFileSync(allowed.diskPaths[0].path).equals(bytes)).toBe(true);
      expect(readdirSync(out).sort()).toEqual(['disk-vda.img', 'ram', 'state']);

      const without = path.join(folder, 'without');
      const alone = { ...request, folder: without, allowLost: false, withoutDisks: true };
      expect(await restoreSnapshot(alone)).toMatchObject({ diskPaths: [], lostOnDisks: [] });
      expect(readdirSync(without).sort()).toEqual(['ram', 'state']);
    });
  });
});

test('wrong bytes in a disk are found on reading, and no file is left', async () => {
  await withStore(async ({ store, folder: storeFolder }) => {
    await withFolder(async (folder) => {
      const manifest = await store64(store, [diskFile(folder, 'vda', patterned(128))]);
      const [first] = packsOf(manifest, 1);
      new LocalStoreFolder(storeFolder).copiesOf(first).forEach((copy) => {
        flipStoredBit(copy, 100);
      });
      const lostOnDisks = [
        { name: 'vda', lost: [{ firstPage: 0, pageCount: 64, reason: 'corrupt' }] },
      ];
      expect(await verifySnapshot({ store, manifest, readData: true })).toMatchObject({
        lost: [],
        lostOnDisks,
      });
      const out = path.join(folder, 'out');
      const request = { store, manifest, folder: out, allowLost: false };
      expect(await restoreSnapshot(request)).toMatchObject({ kind: 'refused', lostOnDisks });
      expect(readdirSync(out)).toEqual([]);
    });
  });
});

test('a file that has the name of a disk is not touched', async () => {
  await withStore(async ({ store }) => {
    await withFolder(async (folder) => {
      const manifest = await store64(store, [diskFile(folder, 'vda', patterned(1))]);
      for (const name of ['disk-vda.img', 'disk-vda.img.part']) {
        const taken = path.join(folder, name);
        writeFileSync(taken, 'somebody else');
        await expect(
          restoreSnapshot({ store, manifest, folder, allowLost: true }),
        ).rejects.toMatchObject({
          code: 'already-exists',
          message: expect.stringContaining(taken) as string,
        });
        expect(readdirSync(folder).sort()).toEqual([name, 'source-vda']);
        expect(readFileSync(taken, 'utf8')).toBe('somebody else');
        rmSync(taken);
      }
    });
  });
});

test('pages of RAM that a disk holds come back from the disk that was stored with them', async () => {
  await withStore(async ({ store }) => {
    await withFolder(async (folder) => {
      const bytes = Buffer.concat([Buffer.alloc(windowBytes), ram]);
      const { policy } = namedPolicies.lean;
      const lean = { label: 'disk-held', policy } as const;
      const manifest = await store64(store, [diskFile(folder, 'vda', bytes)], lean);
      expect(packsOf(manifest, 0)).toEqual([]);
      const { scenarios, risks } = await verifySnapshot({ store, manifest, readData: false });
      expect(scenarios[0]).toMatchObject({ lostPageCount: 64, verdict: 'resumes' });
      expect(risks.map(({ kind }) => kind)).not.toContain('disk-not-stored');

      const request = { store, manifest, allowLost: false };
      const out = path.join(folder, 'out');
      const result = await restoreSnapshot({ ...request, folder: out });
      expect(result.healing).toMatchObject({ putBackPageCount: 64, unhealed: [] });
      expect(readFileSync(path.join(out, 'ram')).equals(ram)).toBe(true);

      const without = path.join(folder, 'without');
      const refused = await restoreSnapshot({ ...request, folder: without, withoutDisks: true });
      expect(refused.kind).toBe('refused');
      expect(refused.healing.unhealed[0].why).toMatch(/restore it with its disks/);

      const other = await store64(store, [diskFile(folder, 'vdb', bytes)], lean);
      const foreign = await restoreSnapshot({ ...request, manifest: other, folder: without });
      expect(foreign.healing.unhealed[0].why).toMatch(/: give it with --disk$/);
    });
  });
});
