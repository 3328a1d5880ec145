// The shared contract in memory, and what becomes of copies when nodes are taken away and brought back.

import { type MemoryCluster, memoryCluster } from '../../../src/store/memory/cluster.js';
import { openMemoryStore } from '../../../src/store/memory/memory-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { describeStoreContract } from '../store-contract.js';

const blockSizeBytes = 2 ** 20;

describeStoreContract(
  'the store in memory',
  async () => ({
    store: await openMemoryStore('memory:contract'),
    cleanup: () => Promise.resolve(),
  }),
  ['raiseRedundancy'],
);

let nextNumber = 0;

/** New and empty. */
async function openNew(): Promise<{ readonly store: Store; readonly cluster: MemoryCluster }> {
  const name = `test-${nextNumber++}`;
  return { store: await openMemoryStore(`memory:${name}`), cluster: memoryCluster(name) };
}

async function writeText(store: Store, name: string, copyCount: number): Promise<void> {
  await store.write(name, () => [Buffer.from(name)], {
    redundancy: copies(copyCount),
    blockSizeBytes,
  });
}

async function nodesOf(store: Store, name: string): Promise<readonly string[]> {
  return (await store.blocks(name)).flatMap(({ locations }) => locations);
}

test('a name opened again is the same store, and another name is another', async () => {
  const { store } = await openNew();
  await writeText(store, 'a', 1);
  await store.close();
  expect(await (await openMemoryStore(store.url)).list('')).toHaveLength(1);
  expect(await (await openNew()).store.list('')).toEqual([]);
});

test('a file is read while one node with a copy is left, and is lost without them all', async () => {
  const { store, cluster } = await openNew();
  await writeText(store, 'a', 2);
  const [first, second] = await nodesOf(store, 'a');
  cluster.takeAway(first);
  expect(await nodesOf(store, 'a')).toEqual([second]);
  expect(Buffer.from(await store.read('a', 0, 1)).toString()).toBe('a');
  cluster.takeAway(second);
  expect(await nodesOf(store, 'a')).toEqual([]);
  await expect(store.read('a', 0, 1)).rejects.toMatchObject({ code: 'data-lost' });
  // What it is to have, and that it is there at all, does not go with the nodes.
  expect(await store.storedBytes('a')).toBe(2);
  expect(await store.list('')).toHaveLength(1);
});

test('a node that is brought back has its copies again', async () => {
  const { store, cluster } = await openNew();
  await writeText(store, 'a', 1);
  const [node] = await nodesOf(store, 'a');
  cluster.takeAway(node);
  cluster.takeAway(node);
  cluster.bringBack(node);
  expect(await nodesOf(store, 'a')).toEqual([node]);
  expect(Buffer.from(await store.read('a', 0, 1)).toString()).toBe('a');
});

test('a write takes the nodes that are there, and none is made up for later', async () => {
  const { store, cluster } = await openNew();
  const [left, ...others] = cluster.nodes;
  for (const node of others) {
    cluster.takeAway(node);
  }
  await writeText(store, 'a', 3);
  for (const node of others) {
    cluster.bringBack(node);
  }
  expect(await nodesOf(store, 'a')).toEqual([left]);
});

test('nothing can be written without a node', async () => {
  const { store, cluster } = await openNew();
  for (const node of cluster.nodes) {
    cluster.takeAway(node);
  }
  await expect(writeText(store, 'a', 1)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await store.list('')).toEqual([]);
});

test('copies are made of one that is alive, and of none that is away', async () => {
  const { store, cluster } = await openNew();
  await writeText(store, 'a', 1);
  const [node] = await nodesOf(store, 'a');
  cluster.takeAway(node);
  const raising = store.can.raiseRedundancy?.('a', copies(2));
  await expect(raising).rejects.toMatchObject({ code: 'data-lost' });
  cluster.bringBack(node);
  await store.can.raiseRedundancy?.('a', copies(2));
  cluster.takeAway(node);
  expect(Buffer.from(await store.read('a', 0, 1)).toString()).toBe('a');
});

test('who reads bytes and changes them changes only what he has', async () => {
  const { store } = await openNew();
  await writeText(store, 'a', 1);
  (await store.read('a', 0, 1)).fill(0);
  expect(Buffer.from(await store.read('a', 0, 1)).toString()).toBe('a');
});

test('copies of many files are spread over all nodes', async () => {
  const { store, cluster } = await openNew();
  const names = Array.from({ length: 50 }, (_, index) => `files/${index}`);
  for (const name of names) {
    await writeText(store, name, 1);
  }
  const used = new Set((await Promise.all(names.map((name) => nodesOf(store, name)))).flat());
  expect([...used].sort()).toEqual([...cluster.nodes].sort());
});

test.each(['memory:', 'memory://a', 'memory:a/b', 'memory:a?b', 'file:///a'])(
  '%s is no URL of it',
  async (url) => {
    await expect(openMemoryStore(url)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('memory:NAME') as string,
    });
  },
);

test('a node that it does not have is refused by name', async () => {
  const { cluster } = await openNew();
  expect(() => {
    cluster.takeAway('node9');
  }).toThrow(/expected one of node1, .*node5, found node9/);
});
