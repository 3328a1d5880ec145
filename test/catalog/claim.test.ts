// Whether an upload is alive is told without a clock: by its claim, which an upload renews and whoever prunes watches. On a
// real store on five folders.
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { publishManifest, writeManifest } from '../../src/catalog/catalog.js';
import { type Claim, claimUpload } from '../../src/catalog/claim.js';
import { findLeftovers } from '../../src/catalog/find-leftovers.js';
import { bodyName, manifestName, packName, partName, stateName } from '../../src/catalog/names.js';
import { removeLeftover } from '../../src/catalog/remove-leftover.js';
import { storeTimeMs } from '../../src/catalog/store-clock.js';
import { watchLeftovers } from '../../src/catalog/watch-leftovers.js';
import type { Store } from '../../src/store/store.js';
import { withStore } from '../store/local/disk-folders.js';
import { changedStore } from './changed-store.js';
import { filesBelow, publishSmall, smallManifest, writeFilesOf } from './small-snapshot.js';

const id = '1000000000000001';
const manifest = smallManifest({ id, packs: [packName(id, 0)], state: stateName(id) });
const blockSizeBytes = 2 ** 20;

/** As a clock that is far ahead has it: everything is old. */
const all = { unchangedSinceMs: Number.MAX_SAFE_INTEGER };
const renewalMs = 20;
/** Never: the claim of an upload whose host sleeps. */
const asleep = 2 ** 30;
const watchMs = 1000;

const never = new AbortController().signal;

/** What an upload has in the store before it publishes. */
async function upload(store: Store, intervalMs: number): Promise<Claim> {
  const claim = await claimUpload(store, id, never, intervalMs);
  await writeFilesOf(store, manifest);
  await writeManifest(store, manifest, blockSizeBytes);
  return claim;
}

async function prune(store: Store): Promise<readonly boolean[]> {
  const outcomes: boolean[] = [];
  const old = await findLeftovers(store, all);
  for (const leftover of await watchLeftovers(store, old, never, watchMs)) {
    outcomes.push(await removeLeftover(store, leftover));
  }
  return outcomes;
}

test('an upload that is alive keeps all it has, however far ahead the clock of who prunes is', async () => {
  await withStore(async ({ store }) => {
    const claim = await upload(store, renewalMs);
    expect(await prune(store)).toEqual([]);
    await claim.confirm();
    await publishManifest(store, id);
    await claim.release();
    expect(await filesBelow(store, '')).toEqual(
      [packName(id, 0), bodyName(id), stateName(id), manifestName(id)].sort(),
    );
  });
});

test('one that has only its claim so far is left alone too', async () => {
  await withStore(async ({ store }) => {
    const claim = await claimUpload(store, id, never, renewalMs);
    expect(await prune(store)).toEqual([]);
    await claim.release();
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test('one that was killed is removed with its claim', async () => {
  await withStore(async ({ store }) => {
    const claim = await upload(store, asleep);
    await claim.stop();
    expect(await prune(store)).toEqual([true]);
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test('one that slept notices before it publishes, and says what happened', async () => {
  await withStore(async ({ store }) => {
    const claim = await upload(store, asleep);
    expect(await prune(store)).toEqual([true]);
    // It wakes and goes on with what it was at.
    await writeManifest(store, manifest, blockSizeBytes);
    await expect(claim.confirm()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('took it for dead') as string,
    });
    expect(claim.lost.aborted).toBe(true);
  });
});

test('one that wakes amid its upload is told at its next renewal', async () => {
  await withStore(async ({ store }) => {
    const claim = await upload(store, 2000);
    expect(await prune(store)).toEqual([true]);
    for (let round = 0; round < 200 && !claim.lost.aborted; round++) {
      await sleep(50);
    }
    expect(claim.lost.reason).toBeInstanceOf(ParsError);
    await claim.stop();
  });
});

test('one that has seen its claim last and then slept cannot publish', async () => {
  await withStore(async ({ store }) => {
    const claim = await upload(store, asleep);
    await claim.confirm();
    expect(await prune(store)).toEqual([true]);
    await expect(publishManifest(store, id)).rejects.toMatchObject({ code: 'not-found' });
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test.each(['rename', 'remove', 'stat'] as const)(
  'one that publishes at any %s of who prunes is whole, or does not publish',
  async (method) => {
    // At the first call of that kind, the second and so on, until there are no more.
    for (let at = 0, isReached = true; isReached; at++) {
      isReached = false;
      await withStore(async ({ store }) => {
        const claim = await upload(store, asleep);
        const old = await findLeftovers(store, all);
        let calls = 0;
        const publish = async (): Promise<void> => {
          if (calls++ !== at) {
            return;
          }
          isReached = true;
          await claim.confirm().then(
            () => publishManifest(store, id),
            () => undefined,
          );
        };
        const racing = changedStore(store, {
          [method]: async (...request: never[]) => {
            await publish();
            return await (store[method] as (...rest: never[]) => Promise<unknown>)(...request);
          },
        });
        for (const leftover of old) {
          await removeLeftover(racing, leftover);
        }
        const files = await filesBelow(store, '');
        if (files.includes(manifestName(id))) {
          expect(files).toEqual(
            expect.arrayContaining([packName(id, 0), bodyName(id), stateName(id)]),
          );
        } else {
          expect(files).not.toContain(packName(id, 0));
          expect(files).not.toContain(bodyName(id));
        }
      });
      if (at > 20) {
        throw new Error('more calls than there can be');
      }
    }
  },
);

test('the claim of a snapshot that is there is removed alone', async () => {
  await withStore(async ({ store }) => {
    await publishSmall(store, { id, packs: [packName(id, 0)] });
    const before = await filesBelow(store, '');
    await (await claimUpload(store, id, never, asleep)).stop();
    expect(await prune(store)).toEqual([true]);
    expect(await filesBelow(store, '')).toEqual(before);
  });
});

test('what was taken by one who was killed is taken by the next', async () => {
  await withStore(async ({ store }) => {
    const claim = await upload(store, asleep);
    const failing = changedStore(store, {
      remove: () => Promise.reject(new ParsError('unavailable', 'the store went away')),
    });
    const [leftover] = await findLeftovers(store, all);
    await expect(removeLeftover(failing, leftover)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(claim.confirm()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await prune(store)).toEqual([true]);
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test('an upload without a claim, of an older program, is watched all the same', async () => {
  await withStore(async ({ store }) => {
    await writeFilesOf(store, manifest);
    const old = await findLeftovers(store, all);
    const watching = watchLeftovers(store, old, never, watchMs);
    await sleep(watchMs / 4);
    await writeManifest(store, manifest, blockSizeBytes);
    expect(await watching).toEqual([]);
    expect(await store.stat(partName(id))).toBeDefined();
  });
});

test("a renewal whose answer was lost is known by the claim's name", async () => {
  await withStore(async ({ store }) => {
    const answer = { isLost: true };
    const losing = changedStore(store, {
      rename: async (from, to) => {
        await store.rename(from, to);
        if (answer.isLost) {
          answer.isLost = false;
          throw new ParsError('unavailable', 'the answer was lost');
        }
      },
    });
    const claim = await claimUpload(losing, id, never, renewalMs);
    for (let round = 0; round < 200 && answer.isLost; round++) {
      await sleep(10);
    }
    await sleep(10 * renewalMs);
    await claim.confirm();
    await claim.release();
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test('an upload whose last renewal was done without an answer has its claim, and leaves none', async () => {
  await withStore(async ({ store }) => {
    let renewals = 0;
    const losing = changedStore(store, {
      rename: async (from, to) => {
        if (renewals++ > 0) {
          throw new ParsError('unavailable', 'the store is away');
        }
        await store.rename(from, to);
        throw new ParsError('unavailable', 'the answer was lost');
      },
    });
    const claim = await claimUpload(losing, id, never, renewalMs);
    for (let round = 0; round < 200 && renewals < 2; round++) {
      await sleep(10);
    }
    await claim.confirm();
    await claim.release();
    expect(await filesBelow(store, '')).toEqual([]);
    const unconfirmed = await claimUpload(losing, id, never, asleep);
    await store.rename(`claims/${id}.000000000`, `claims/${id}.000000001`);
    await unconfirmed.release();
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test('an upload that is stopped waits for no answer to a renewal', async () => {
  await withStore(async ({ store }) => {
    const stopping = new AbortController();
    const asked = new AbortController();
    const silent = changedStore(store, {
      rename: (_from, _to, options) =>
        new Promise((_resolve, reject) => {
          asked.abort();
          const fail = (): void => {
            reject(new ParsError('unavailable', 'no answer, or stopped'));
          };
          options?.signal?.addEventListener('abort', fail);
          setTimeout(fail, 5000).unref();
        }),
    });
    const claim = await claimUpload(silent, id, stopping.signal, renewalMs);
    for (let round = 0; round < 200 && !asked.signal.aborted; round++) {
      await sleep(10);
    }
    stopping.abort();
    const startMs = performance.now();
    await claim.release();
    expect(performance.now() - startMs).toBeLessThan(2000);
    expect(await filesBelow(store, '')).toEqual([]);
  });
});

test("the store's own clock tells the age, and asking it leaves nothing", async () => {
  await withStore(async ({ store }) => {
    const beforeMs = Date.now();
    const nowMs = await storeTimeMs(store);
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(await filesBelow(store, '')).toEqual([]);
    const ahead = changedStore(store, {
      list: async (folder, options) =>
        (await store.list(folder, options)).map((file) => ({ ...file, modifiedMs: 12_345 })),
    });
    expect(await storeTimeMs(ahead)).toBe(12_345);
  });
});
