// A limited store is a store like any other, and takes no more than its rate.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ParsError } from '../../introspect/pars-error.js';
import { limitBandwidth } from '../../src/store/limit-bandwidth.js';
import { openStore } from '../../src/store/open-store.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { changedStore } from '../catalog/changed-store.js';
import { withStore } from './local/disk-folders.js';
import { describeStoreContract } from './store-contract.js';

const once = { redundancy: copies(1), blockSizeBytes: 2 ** 24 };

/** Low enough that the suite's larger files go in several pieces. */
const contractBytesPerSecond = 10 * 2 ** 20;

describeStoreContract('a limited store', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pars-limited-store-'));
  return {
    store: limitBandwidth(await openStore(pathToFileURL(folder).href), contractBytesPerSecond),
    cleanup: () => rm(folder, { recursive: true }),
  };
});

interface Arrival {
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** Hands on what is written to `store`, and notes each piece in `arrivals`. */
function watched(store: Store, arrivals: Arrival[]): Store {
  return changedStore(store, {
    write: (name, content, options) =>
      store.write(
        name,
        async function* () {
          for await (const piece of content()) {
            arrivals.push({ atMs: performance.now(), sizeBytes: piece.length });
            yield piece;
          }
        },
        options,
      ),
  });
}

test('several writes together do not exceed the rate, in no stretch of time', async () => {
  await withStore(async ({ store }) => {
    const arrivals: Arrival[] = [];
    const bytesPerSecond = 400_000;
    const limited = limitBandwidth(watched(store, arrivals), bytesPerSecond);
    const bytes = new Uint8Array(100_000);
    await Promise.all(['a', 'b', 'c'].map((name) => limited.write(name, () => [bytes], once)));
    expect(arrivals.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(300_000);
    // A tenth of a second may be caught up on, a piece is another, and timers count whole milliseconds.
    const slackBytes = 0.2 * bytesPerSecond + 0.005 * bytesPerSecond;
    for (const [first, { atMs: fromMs }] of arrivals.entries()) {
      let sentBytes = 0;
      for (const { atMs, sizeBytes } of arrivals.slice(first)) {
        sentBytes += sizeBytes;
        expect(sentBytes).toBeLessThanOrEqual(
          ((atMs - fromMs) / 1000) * bytesPerSecond + slackBytes,
        );
      }
    }
  });
});

test('a chunk larger than the rate goes in small pieces, so that there is no long silence', async () => {
  await withStore(async ({ store }) => {
    const arrivals: Arrival[] = [];
    const limited = limitBandwidth(watched(store, arrivals), 100_000);
    await limited.write('a', () => [new Uint8Array(50_000)], once);
    expect(arrivals.map(({ sizeBytes }) => sizeBytes)).toEqual(Array(5).fill(10_000));
  });
});

test('an abort ends the wait for room as cancelled, and leaves nothing', async () => {
  await withStore(async ({ store }) => {
    // A piece a second: the second one would be waited for.
    const limited = limitBandwidth(store, 1);
    const abort = new AbortController();
    const writing = limited.write('a', () => [new Uint8Array(1000)], {
      ...once,
      signal: abort.signal,
    });
    setTimeout(() => {
      abort.abort();
    }, 50);
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
    expect(await store.list('')).toEqual([]);
  });
});

test('a wait that is aborted is cancelled also for a store that passes on what its content throws', async () => {
  const abort = new AbortController();
  await withStore(async ({ store }) => {
    const reading = changedStore(store, {
      write: async (_, content) => {
        let sizeBytes = 0;
        for await (const piece of content()) {
          sizeBytes += piece.length;
        }
        return sizeBytes;
      },
    });
    const limited = limitBandwidth(reading, 1);
    const writing = limited.write('a', () => [new Uint8Array(1000)], {
      ...once,
      signal: abort.signal,
    });
    abort.abort();
    await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
  });
});

test('a store that asks for the content again gets all of it again', async () => {
  await withStore(async ({ store }) => {
    const retrying = changedStore(store, {
      write: async (name, content, options) => {
        for await (const piece of content()) {
          if (piece.length > 0) {
            break;
          }
        }
        return store.write(name, content, options);
      },
    });
    const limited = limitBandwidth(retrying, 1_000_000);
    const bytes = Uint8Array.from({ length: 150_000 }, (_, index) => index % 251);
    await limited.write('a', () => [bytes], once);
    expect(Buffer.compare(await store.read('a', 0, bytes.length), bytes)).toBe(0);
  });
});

test.each([0, -1, NaN])('a rate of %d is refused', async (bytesPerSecond) => {
  await withStore(({ store }) => {
    expect(() => limitBandwidth(store, bytesPerSecond)).toThrow(ParsError);
    return Promise.resolve();
  });
});

test('content that a thread could send is made here, where its rate is held', async () => {
  await withStore(async ({ store }) => {
    const seen: unknown[] = [];
    const noting = changedStore(store, {
      write: (name, content, options) => {
        seen.push(content.inThread);
        return store.write(name, content, options);
      },
    });
    const inThread = { send: () => Promise.reject(new Error('it was sent past the limit')) };
    const content = Object.assign(() => [new Uint8Array(10)], { inThread });
    await noting.write('a', content, once);
    await limitBandwidth(noting, 100_000).write('b', content, once);
    expect(seen).toEqual([inThread, undefined]);
  });
});
