// "Stored at 3" is said only when the store reports three live copies of the scarcest block, and the wait for it ends.

import { confirmReplication, underReplicated } from '../../src/snapshot/confirm-replication.js';
import type { Store, StoredBlock } from '../../src/store/store.js';
import { changedStore } from '../catalog/changed-store.js';
import { withStore } from '../store/local/disk-folders.js';

const block = (copyCount: number): StoredBlock => ({
  offsetBytes: 0,
  sizeBytes: 1,
  locations: Array.from({ length: copyCount }, (_, index) => `node${index}:9866`),
  unreachable: [],
});
const file = (name: string, replication: number, sizeBytes = 2) => ({
  name,
  sizeBytes,
  replication,
});

/** Only its blocks are asked for. */
async function withBlocks(
  blocks: Store['blocks'],
  use: (store: Store) => Promise<void>,
): Promise<void> {
  await withStore(async ({ store }) => {
    await use(changedStore(store, { blocks, copiesComeLater: true }));
  });
}

test('a file has as many copies as its scarcest block', async () => {
  await withBlocks(
    () => Promise.resolve([block(3), block(1), block(4)]),
    async (store) => {
      expect(await underReplicated(store, [file('a', 3), file('b', 1)])).toEqual([
        { name: 'a', wanted: 3, found: 1 },
      ]);
    },
  );
});

test('where no copies come later, none are waited for', async () => {
  await withStore(async ({ store }) => {
    const poor = changedStore(store, { blocks: () => Promise.resolve([block(2)]) });
    expect(poor.copiesComeLater).toBe(false);
    const startedMs = performance.now();
    expect(await confirmReplication(poor, [file('a', 3)], 30_000)).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

test('an empty file has no block and lacks nothing', async () => {
  await withBlocks(
    () => Promise.resolve([]),
    async (store) => {
      expect(await underReplicated(store, [file('empty', 3, 0)])).toEqual([]);
    },
  );
});

test('copies that come late are waited for, and only the files that lack some are asked for again', async () => {
  const asked: string[] = [];
  await withBlocks(
    (name) => {
      asked.push(name);
      const isLate = name === 'late' && asked.filter((other) => other === 'late').length < 3;
      return Promise.resolve([block(isLate ? 2 : 3)]);
    },
    async (store) => {
      expect(await confirmReplication(store, [file('soon', 3), file('late', 3)], 30_000)).toEqual(
        [],
      );
      expect(asked).toEqual(['soon', 'late', 'late', 'late']);
    },
  );
});

test('the wait ends with what is missing', async () => {
  await withBlocks(
    () => Promise.resolve([block(2)]),
    async (store) => {
      expect(await confirmReplication(store, [file('a', 3)], 300)).toEqual([
        { name: 'a', wanted: 3, found: 2 },
      ]);
    },
  );
});

test('the wait ends at once when it is stopped', async () => {
  await withBlocks(
    () => Promise.resolve([block(2)]),
    async (store) => {
      const abort = new AbortController();
      const waiting = confirmReplication(store, [file('a', 3)], 30_000, abort.signal);
      setTimeout(() => {
        abort.abort();
      }, 20);
      await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    },
  );
});
