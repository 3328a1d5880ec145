// A server that is WebHDFS by form and says what cannot be: numbers, lists and pages without end. Against a fake one.
import { listSnapshots } from '../../../src/catalog/catalog.js';
import type { Store } from '../../../src/store/store.js';
import type { WebHdfsClient } from '../../../src/store/webhdfs/client.js';
import { Namespace } from '../../../src/store/webhdfs/namespace.js';
import { openWebHdfsStore } from '../../../src/store/webhdfs/webhdfs-store.js';
import { errorOf } from '../error-of.js';
import {
  type FakeAnswer,
  type FakeRequest,
  remoteException,
  startFakeWebHdfs,
} from './fake-webhdfs.js';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) {
    await each.close();
  }
});

async function storeOf(answers: (request: FakeRequest) => FakeAnswer | undefined): Promise<Store> {
  const fake = await startFakeWebHdfs(
    (request) =>
      answers(request) ?? remoteException('FileNotFoundException', 'File does not exist'),
  );
  closing.push(fake);
  const store = await openWebHdfsStore(`webhdfs://${fake.hostPort}/r`, {
    userName: 'tester',
    retry: { attemptCount: 2, firstDelayMs: 1, maxDelayMs: 5 },
  });
  closing.push(store);
  return store;
}

const good = { type: 'FILE', length: 5, modificationTime: 1_700_000_000_000 };
const page = (statuses: readonly unknown[], remainingEntries: unknown = 0): FakeAnswer => ({
  json: {
    DirectoryListing: {
      partialListing: { FileStatuses: { FileStatus: statuses } },
      remainingEntries,
    },
  },
});

const oddNumbers: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['a length of -1', { length: -1 }],
  ['a length of half a byte', { length: 0.5 }],
  ['a length of 1e300', { length: 1e300 }],
  ['a time of -1e300', { modificationTime: -1e300 }],
  ['a time of 8.65e15', { modificationTime: 8.65e15 }],
];

test.each(oddNumbers)('%s is told of that file alone, and hides none beside it', async (_, odd) => {
  const store = await storeOf(({ op }) =>
    op === 'LISTSTATUS_BATCH'
      ? page([
          { ...good, pathSuffix: 'a' },
          { ...good, ...odd, pathSuffix: 'b' },
          { ...good, pathSuffix: 'c' },
        ])
      : undefined,
  );
  const files = await store.list('x');
  expect(files.map(({ name }) => name)).toEqual(['x/a', 'x/b', 'x/c']);
  expect(files.map(({ problem }) => problem !== undefined)).toEqual([false, true, false]);
  for (const { sizeBytes, modifiedMs } of files) {
    expect(sizeBytes).toBeGreaterThanOrEqual(0);
    expect(() => new Date(modifiedMs).toISOString()).not.toThrow();
  }
});

test.each(oddNumbers)('%s of the one file that is asked for is an error', async (_, odd) => {
  const store = await storeOf(({ op, url }) =>
    op === 'GETFILESTATUS' && url.pathname.endsWith('/b')
      ? { json: { FileStatus: { ...good, ...odd, pathSuffix: '' } } }
      : undefined,
  );
  expect((await errorOf(store.stat('b'))).code).toBe('corrupt');
});

test('a snapshot whose file has such numbers is listed as unreadable', async () => {
  const store = await storeOf(({ op }) =>
    op === 'LISTSTATUS_BATCH'
      ? page([{ ...good, length: -1, pathSuffix: `${'1'.repeat(16)}.manifest` }])
      : undefined,
  );
  expect(await listSnapshots(store)).toMatchObject({
    snapshots: [],
    unreadable: [{ id: '1'.repeat(16), error: { code: 'corrupt' } }],
  });
});

test('pages that repeat themselves end', async () => {
  const store = await storeOf(({ op }) =>
    op === 'LISTSTATUS_BATCH' ? page([{ ...good, pathSuffix: 'a' }], 1) : undefined,
  );
  const error = await errorOf(store.list('x'));
  expect(error.code).toBe('unsupported');
  expect(error.message).toContain('the same name comes twice');
});

/** Past the network, which such an amount would keep busy for long. */
function namespaceOf(pageLength: number): {
  readonly namespace: Namespace;
  readonly count: () => number;
} {
  let count = 0;
  const client = {
    ask: () =>
      Promise.resolve({
        DirectoryListing: {
          partialListing: {
            FileStatuses: {
              FileStatus: Array.from({ length: pageLength }, () => ({
                ...good,
                pathSuffix: `${count++}`,
              })),
            },
          },
          remainingEntries: 1,
        },
      }),
  };
  return { namespace: new Namespace(client as unknown as WebHdfsClient), count: () => count };
}

test('pages of ever new names end too', async () => {
  const { namespace, count } = namespaceOf(1);
  const error = await errorOf(namespace.list('/x', undefined));
  expect(error.code).toBe('unsupported');
  expect(error.message).toContain('and there are more');
  expect(count()).toBe(10_000);
});

test.each<[string, FakeAnswer]>([
  ['a name that leads elsewhere', page([{ ...good, pathSuffix: '../snapshots/a' }])],
  ['fewer than none left', page([], -1)],
  ['a page of nothing but nulls', page(Array.from({ length: 1_000_000 }, () => null))],
])('%s is no answer', async (_, answer) => {
  const store = await storeOf(({ op }) => (op === 'LISTSTATUS_BATCH' ? answer : undefined));
  expect((await errorOf(store.list('x'))).code).toBe('unsupported');
});

const block = { offset: 0, length: 5, corrupt: false, names: ['127.0.0.1:9866'] };
test.each<[string, unknown]>([
  ['of a negative length', [{ ...block, length: -1 }]],
  ['at half a byte', [{ ...block, offset: 0.5 }]],
  ['on nodes that are no names', [{ ...block, names: Array.from({ length: 100 }, () => 0) }]],
  ['on too many nodes', [{ ...block, names: Array.from({ length: 20_000 }, () => 'a:1') }]],
  ['that are nothing', Array.from({ length: 1_000_000 }, () => null)],
])('blocks %s are no answer', async (_, blocks) => {
  const store = await storeOf(({ op, url }) => {
    if (op === 'GETFILEBLOCKLOCATIONS') {
      return { json: { BlockLocations: { BlockLocation: blocks } } };
    }
    return url.pathname.endsWith('/a')
      ? { json: { FileStatus: { ...good, pathSuffix: '' } } }
      : undefined;
  });
  expect((await errorOf(store.blocks('a'))).code).toBe('unsupported');
});
