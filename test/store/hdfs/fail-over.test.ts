// Two real NameNodes that share their edits: the store finds the active one, and goes on when it is another, whatever was under way.
// Each test leaves both running and one active.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { type HdfsOptions, openHdfsStore } from '../../../src/store/hdfs/hdfs-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { type HaCluster, startHaHdfs } from '../../hdfs/ha-cluster.js';
import { sliceOf } from '../../slice.js';
import { errorOf } from '../error-of.js';

const mebibyte = 1024 * 1024;
const twice = { redundancy: copies(2), blockSizeBytes: 16 * mebibyte };
/** JVMs start in seconds, but a busy machine takes longer. */
const testTimeoutMs = 300_000;

let cluster: HaCluster;
/** Which of the two is active. */
let activeIndex: 0 | 1 = 0;
beforeAll(async () => {
  cluster = await startHaHdfs();
}, testTimeoutMs);
afterAll(async () => {
  await cluster.close();
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
  for (const nameNode of cluster.nameNodes) {
    if (!nameNode.isRunning()) {
      await nameNode.restart();
    }
  }
}, testTimeoutMs);

async function open(path: string, options: HdfsOptions = {}, authority = cluster.service) {
  const environment = { HADOOP_CONF_DIR: cluster.configFolder };
  const store = await openHdfsStore(`hdfs://${authority}${path}`, { environment, ...options });
  closing.push(() => store.close());
  return store;
}

function other(index: 0 | 1): 0 | 1 {
  return index === 0 ? 1 : 0;
}

/** As a person does it who wants to work on the active one. */
async function handOver(): Promise<void> {
  await cluster.makeStandby(activeIndex);
  activeIndex = other(activeIndex);
  await cluster.makeActive(activeIndex);
}

/** The active one is killed, or falls silent and is killed then; the other takes its place. */
async function loseActive(signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const lost = cluster.nameNodes[activeIndex];
  if (signal === 'SIGSTOP') {
    process.kill(lost.pid, 'SIGSTOP');
    // What is asked of it now is never answered.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  await lost.kill();
  activeIndex = other(activeIndex);
  await cluster.makeActive(activeIndex);
}

function sampleBytes(sizeBytes: number, seed: number): Buffer {
  return Buffer.from(
    Array.from({ length: sizeBytes }, (_, i) => (i * 31 + (i >>> 8) * 17 + seed) & 0xff),
  );
}

/** What HDFS itself says of all below the path: whole, at full replication, and nothing open. */
async function expectWhole(path: string, names: readonly string[]): Promise<void> {
  // The second copy's report may be on its way.
  let report = await cluster.fsck(path);
  for (let count = 0; /Under-replicated|under replicated/i.test(report) && count < 100; count++) {
    if (/Under-replicated blocks:\s+0/.test(report)) {
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    report = await cluster.fsck(path);
  }
  expect(report).toContain('is HEALTHY');
  expect(report).not.toContain('OPENFORWRITE');
  expect(report).toMatch(/Under-replicated blocks:\s+0/);
  const files = [...report.matchAll(/^(\/\S+) \d+ bytes/gm)].map(([, name]) => name);
  expect(files.sort()).toEqual(names.map((name) => `${path}/${name}`).sort());
  expect(await cluster.openFiles()).toEqual([]);
}

test(
  'the name of the service finds the active NameNode, and no name the default',
  async () => {
    const store = await open('/named');
    expect(store.url).toBe('hdfs://cluster/named');
    await store.write('a', () => [Buffer.from('one')], twice);
    await handOver();
    await store.write('b', () => [Buffer.from('two')], twice);
    expect((await store.list('')).map(({ name }) => name)).toEqual(['a', 'b']);
    const byDefault = await open('/named', {}, '');
    expect(byDefault.url).toBe('hdfs://cluster/named');
    expect(Buffer.from(await byDefault.read('a', 0, 3)).toString()).toBe('one');
    expect((await cluster.hdfsDfs(['-cat', '/named/b'])).stdout).toBe('two');
    await expectWhole('/named', ['a', 'b']);
  },
  testTimeoutMs,
);

/** When a file of three chunks is struck: before which of them, or at the end, all sent and nothing completed. */
const moments = [
  ['SIGKILL', 1],
  ['SIGSTOP', 3],
  ['SIGKILL', 0],
  ['SIGKILL', 3],
  ['SIGSTOP', 1],
] as const;

test.each(sliceOf(moments, 1))(
  'a write goes on when the active NameNode is lost (%s) after %d of three chunks',
  async (signal, momentIndex) => {
    const path = `/lost-${signal}-${momentIndex}`;
    const store = await open(path, { answerTimeoutMs: 3_000 });
    const chunks = [1, 2, 3].map((seed) => sampleBytes(mebibyte, seed));
    let isLost = false;
    const content = function* () {
      for (let index = 0; index <= chunks.length; index++) {
        if (index === momentIndex && !isLost) {
          isLost = true;
          // The other one takes over in its own time, while we go on.
          void loseActive(signal);
        }
        if (index < chunks.length) {
          yield chunks[index];
        }
      }
    };
    const expected = Buffer.concat(chunks);
    expect(await store.write('file', content, twice)).toBe(expected.length);
    const read = await store.read('file', 0, expected.length);
    expect(Buffer.compare(read, expected)).toBe(0);
    await expectWhole(path, ['file']);
  },
  testTimeoutMs,
);

test(
  'reading goes on when the active NameNode is killed in the middle',
  async () => {
    const store = await open('/read');
    const names = ['a', 'b', 'c', 'd'];
    for (const [index, name] of names.entries()) {
      await store.write(name, () => [sampleBytes(mebibyte, index)], twice);
    }
    const losing: Promise<void>[] = [];
    for (const [index, name] of names.entries()) {
      const bytes = await store.read(name, 0, mebibyte);
      expect(Buffer.compare(bytes, sampleBytes(mebibyte, index))).toBe(0);
      if (losing.length === 0) {
        losing.push(loseActive('SIGKILL'));
      }
    }
    await Promise.all(losing);
    await expectWhole('/read', names);
  },
  testTimeoutMs,
);

/** Between us and a NameNode: lets all through until `method` is asked, whose answer it swallows. */
async function startSwallower(
  target: string,
  method: string,
  swallowed: () => void,
): Promise<string> {
  const sockets = new Set<Socket>();
  let isOver = false;
  const server = createServer((near) => {
    const far = connect(Number(target.split(':')[1]), '127.0.0.1');
    sockets.add(near).add(far);
    let isAsked = false;
    near.on('data', (bytes) => {
      isAsked ||= !isOver && bytes.includes(method);
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (!isAsked) {
        near.write(bytes);
        return;
      }
      isAsked = false;
      isOver = true;
      swallowed();
      near.destroy();
    });
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    sockets.forEach((socket) => socket.destroy());
    return new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// Paths without the word itself, which the proxy looks for.
const answered = [
  ['rename2', '/answered-1'],
  ['create', '/answered-2'],
  ['delete', '/answered-3'],
] as const;
test.each(sliceOf(answered, 1))(
  'a %s that was done, and whose answer went with the NameNode, is not done again by the next',
  async (method, path) => {
    const lostIndex = activeIndex;
    const { nameNodes } = cluster;
    const before = await open(path);
    await before.write('from', () => [Buffer.from('content')], twice);
    let losing: Promise<void> | undefined;
    const proxy = await startSwallower(nameNodes[lostIndex].hostPort, method, () => {
      losing = loseActive('SIGKILL');
    });
    const authority = `${proxy},${nameNodes[other(lostIndex)].hostPort}`;
    const store = await open(path, {}, authority);
    await act(store, method);
    expect(losing).toBeDefined();
    await losing;
    const names = (await store.list('')).map(({ name }) => name);
    expect(names).toEqual({ rename2: ['to'], create: ['from', 'new'], delete: [] }[method]);
    await expectWhole(path, names);
  },
  testTimeoutMs,
);

async function act(store: Store, method: string): Promise<void> {
  if (method === 'rename2') {
    await store.rename('from', 'to');
  } else if (method === 'create') {
    await store.write('new', () => [Buffer.from('new content')], twice);
  } else {
    await store.remove('from');
  }
}

test(
  'a write waits while the active NameNode is in safe mode',
  async () => {
    const store = await open('/safe');
    const safeMode = (word: string) => cluster.dfsAdmin(['-safemode', word]);
    expect((await safeMode('enter')).stdout).toContain('Safe mode is ON');
    const writing = store.write('file', () => [Buffer.from('content')], twice);
    const leaving = safeMode('leave');
    expect(await writing).toBe(7);
    expect((await leaving).stdout).toContain('Safe mode is OFF');
    await expectWhole('/safe', ['file']);
  },
  testTimeoutMs,
);

test(
  'two NameNodes of which none is active are reported as such, in time',
  async () => {
    const retry = { attemptCount: 2, firstDelayMs: 10, maxDelayMs: 10 };
    const store = await open('/none', { retry });
    await cluster.makeStandby(activeIndex);
    try {
      const error = await errorOf(store.list(''));
      expect(error.code).toBe('unavailable');
      expect(error.message).toContain('none of the 2 NameNodes is active');
      expect(error.message).toContain('StandbyException');
    } finally {
      await cluster.makeActive(activeIndex);
    }
  },
  testTimeoutMs,
);
