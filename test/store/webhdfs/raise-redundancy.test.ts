// More copies of a file that is there, where a real cluster answers too rarely or too well. With a real one: store-contract.ts.

import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { openWebHdfsStore } from '../../../src/store/webhdfs/webhdfs-store.js';
import { type FakeAnswer, remoteException, startFakeWebHdfs } from './fake-webhdfs.js';

interface Found {
  readonly ofFile: object;
  /** One after the other; the last stays. */
  readonly answers?: readonly FakeAnswer[];
}

async function withFile(
  { ofFile, answers = [{ json: { boolean: true } }] }: Found,
  use: (store: Store, asked: () => readonly (string | null)[]) => Promise<void>,
): Promise<void> {
  let answerCount = 0;
  const fake = await startFakeWebHdfs(({ op, url }) => {
    if (op === 'SETREPLICATION') {
      return answers[Math.min(answerCount++, answers.length - 1)];
    }
    const isFile = url.pathname.endsWith('/a');
    const status = { pathSuffix: '', length: 5, modificationTime: 1 };
    const type = isFile ? 'FILE' : 'DIRECTORY';
    return { json: { FileStatus: { ...status, type, ...(isFile ? ofFile : {}) } } };
  });
  const store = await openWebHdfsStore(`webhdfs://${fake.hostPort}/r`, {
    retry: { attemptCount: 3, firstDelayMs: 1, maxDelayMs: 2 },
  });
  const asked = () =>
    fake.requests
      .filter(({ op }) => op === 'SETREPLICATION')
      .map(({ url }) => url.searchParams.get('replication'));
  try {
    await use(store, asked);
  } finally {
    await store.close();
    await fake.close();
  }
}

const raise = (store: Store, count: number) => store.can.raiseRedundancy?.('a', copies(count));

test('HDFS is asked for more copies than it says there are to be, and for nothing else', async () => {
  await withFile({ ofFile: { replication: 2 } }, async (store, asked) => {
    await raise(store, 1);
    await raise(store, 2);
    expect(asked()).toEqual([]);
    await raise(store, 3);
    expect(asked()).toEqual(['3']);
  });
});

test('HDFS is asked where it does not say how many copies there are to be', async () => {
  await withFile({ ofFile: {} }, async (store, asked) => {
    await raise(store, 3);
    expect(asked()).toEqual(['3']);
  });
});

test('a lost answer is asked for again', async () => {
  const answers = ['break the connection', { json: { boolean: true } }] as const;
  await withFile({ ofFile: { replication: 1 }, answers }, async (store, asked) => {
    await raise(store, 3);
    expect(asked()).toEqual(['3', '3']);
  });
});

test('a file that HDFS keeps by an erasure code gets no copies', async () => {
  const ofFile = { replication: 0, ecBit: true, ecPolicy: 'RS-6-3-1024k' };
  await withFile({ ofFile }, async (store, asked) => {
    await expect(raise(store, 3)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('RS-6-3-1024k') as string,
    });
    expect(asked()).toEqual([]);
  });
});

test('a refusal without a reason is no success', async () => {
  const answers = [{ json: { boolean: false } }];
  await withFile({ ofFile: { replication: 1 }, answers }, async (store) => {
    await expect(raise(store, 3)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test('more copies than the cluster allows are the fault of who asks', async () => {
  const answer = remoteException(
    'IOException',
    'Requested replication factor of 600 exceeds maximum of 512 for /r/a',
  );
  await withFile({ ofFile: { replication: 1 }, answers: [answer] }, async (store) => {
    await expect(raise(store, 600)).rejects.toMatchObject({ code: 'usage' });
  });
});
