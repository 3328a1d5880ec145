// Against a real HDFS: the shared contract, and what happens when its daemons die. One cluster serves all tests, which
// leave it whole: five live DataNodes and a NameNode that takes writes.

import { writeFile } from 'node:fs/promises';
import { copies, reedSolomon } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { UnreachableCopies } from '../../../src/store/unreachable.js';
import { CodedChecksum } from '../../../src/store/webhdfs/coding/coded-checksum.js';
import { FileChecksum } from '../../../src/store/webhdfs/file-checksum.js';
import { openWebHdfsStore, type WebHdfsOptions } from '../../../src/store/webhdfs/webhdfs-store.js';
import { untilAnswering } from '../../hdfs/answering.js';
import { type HdfsCluster, type HdfsDataNode, startHdfs } from '../../hdfs/cluster.js';
import { makeCodedFolder } from '../../hdfs/files-on-hdfs.js';
import { sliceOf, testInWhole } from '../../slice.js';
import { errorOf } from '../error-of.js';
import { describeStoreContract } from '../store-contract.js';

const mebibyte = 1024 * 1024;
const blockSizeBytes = 16 * mebibyte;
const once = { redundancy: copies(1), blockSizeBytes };
const thrice = { redundancy: copies(3), blockSizeBytes };

/** JVMs start and nodes are declared dead in seconds, but a busy machine takes longer. */
const testTimeoutMs = 120_000;

function behaves(sentence: string, check: () => Promise<void>): void {
  it(sentence, check, testTimeoutMs);
}

/** What takes long, and is told of `hdfs://` in each run. */
function behavesInWhole(sentence: string, check: () => Promise<void>): void {
  testInWhole(sentence, check, testTimeoutMs);
}

let cluster: HdfsCluster;
beforeAll(async () => {
  cluster = await startHdfs();
}, testTimeoutMs);
afterAll(async () => {
  await cluster.close();
});

describeStoreContract(
  'the WebHDFS store',
  async () => {
    await makeCodedFolder(cluster, '/enabling', 'RS-3-2-1024k');
    return {
      store: await openWebHdfsStore(cluster.webhdfsUrl('/contract')),
      cleanup: () => Promise.resolve(),
    };
  },
  ['raiseRedundancy', 'writeErasureCoded', 'describeCluster'],
);

const openStores: Store[] = [];
afterEach(async () => {
  for (const store of openStores.splice(0)) {
    await store.close();
  }
});

async function open(path: string, options: WebHdfsOptions = {}, userName?: string): Promise<Store> {
  const store = await openWebHdfsStore(cluster.webhdfsUrl(path, userName), options);
  openStores.push(store);
  return store;
}

function sampleBytes(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) {
    bytes[i] = (i * 31 + (i >>> 8) * 17 + seed) & 0xff;
  }
  return bytes;
}

/** Jest's own comparison of megabytes takes seconds. */
function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.compare(actual, expected)).toBe(0);
}

function dataNodeOf(name: string): HdfsDataNode {
  const found = cluster.dataNodes.find((dataNode) => dataNode.name === name);
  if (!found) {
    throw new Error(`no DataNode ${name}`);
  }
  return found;
}

async function holdersOf(store: Store, name: string): Promise<readonly HdfsDataNode[]> {
  const [block] = await store.blocks(name);
  return block.locations.map(dataNodeOf);
}

/** Kills, does, and leaves the cluster whole again. */
async function withDead<T>(dataNodes: readonly HdfsDataNode[], act: () => Promise<T>): Promise<T> {
  await Promise.all(dataNodes.map((dataNode) => dataNode.kill()));
  try {
    return await act();
  } finally {
    await Promise.all(dataNodes.map((dataNode) => dataNode.restart()));
    await cluster.waitForLiveDataNodes(5);
    await untilAnswering(dataNodes);
  }
}

async function elapsedMs(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}

describe('a file in HDFS', () => {
  behaves('is what hdfs dfs shows, readable by its owner only', async () => {
    const store = await open('/shown');
    await store.write('folder/a', () => [Buffer.from('hello\n')], thrice);
    expect((await cluster.hdfsDfs(['-cat', '/shown/folder/a'])).stdout).toBe('hello\n');
    const { stdout } = await cluster.hdfsDfs(['-ls', '-R', '/shown']);
    expect(stdout).toMatch(/^drwx------ .* \/shown\/folder$/m);
    expect(stdout).toMatch(/^-rw------- {3}3 .* \/shown\/folder\/a$/m);
  });

  behavesInWhole(
    'of many blocks, written by hdfs dfs, is read across their boundaries',
    async () => {
      const bytes = sampleBytes(3 * mebibyte + 777, 1);
      const local = `${cluster.folder}/many-blocks`;
      await writeFile(local, bytes);
      const put = ['-D', `dfs.blocksize=${mebibyte}`, '-put', local, '/many-blocks'];
      expect((await cluster.hdfsDfs(put)).exitCode).toBe(0);
      const store = await open('/');
      expect(await store.blocks('many-blocks')).toHaveLength(4);
      expectSameBytes(await store.read('many-blocks', 0, bytes.length), bytes);
      const across = await store.read('many-blocks', mebibyte - 5, 10);
      expect(Buffer.from(across)).toEqual(bytes.subarray(mebibyte - 5, mebibyte + 5));

      const checksum = new FileChecksum(mebibyte);
      checksum.update(bytes);
      const { stdout } = await cluster.hdfsDfs(['-checksum', '/many-blocks']);
      expect(stdout).toContain(checksum.digest());
    },
  );

  behaves('with erasure coding has another checksum, so it is read back', async () => {
    const url = (path: string, query: string) =>
      `${cluster.nameNodeHttpUrl}/webhdfs/v1${path}?user.name=root&${query}`;
    const policy = 'ecpolicy=RS-3-2-1024k';
    await fetch(url('/ec', 'op=MKDIRS'), { method: 'PUT' });
    await fetch(url('/', `op=ENABLEECPOLICY&${policy}`), { method: 'PUT' });
    expect((await fetch(url('/ec', `op=SETECPOLICY&${policy}`), { method: 'PUT' })).status).toBe(
      200,
    );
    const store = await open('/ec');
    const bytes = sampleBytes(5 * mebibyte + 5, 2);
    expect(await store.write('a', () => [bytes], once)).toBe(bytes.length);
    expectSameBytes(await store.read('a', 0, bytes.length), bytes);
  });
});

describe('a file in an erasure code', () => {
  const sizes = [
    0,
    3 * mebibyte + 513,
    mebibyte,
    1,
    512,
    mebibyte + 1,
    3 * mebibyte,
    7 * mebibyte - 1,
  ];

  behaves('has the checksum that was computed on its way', async () => {
    const store = await open('/coded-sums');
    const code = reedSolomon(3, 2);
    for (const sizeBytes of sliceOf(sizes, 3)) {
      const bytes = sampleBytes(sizeBytes, sizeBytes);
      await store.write(`of-${sizeBytes}`, () => [bytes], { ...once, redundancy: code });
      const checksum = new CodedChecksum(code);
      checksum.update(bytes.subarray(0, 700));
      checksum.update(bytes.subarray(700));
      const { stdout } = await cluster.hdfsDfs(['-checksum', `/coded-sums/of-${sizeBytes}`]);
      expect({ sizeBytes, stdout }).toEqual({
        sizeBytes,
        stdout: expect.stringContaining(checksum.digest()) as unknown,
      });
    }
  });

  behaves('is coded also where its folder has another code, and stays so', async () => {
    await makeCodedFolder(cluster, '/other-code', 'XOR-2-1-1024k');
    const store = await open('/other-code');
    await store.write('a', () => [sampleBytes(9, 9)], { ...once, redundancy: reedSolomon(3, 2) });
    const { stdout } = await cluster.hdfsEc(['-getPolicy', '-path', '/other-code/a']);
    expect(stdout).toContain('RS-3-2-1024k');
    await store.close();
  });

  behaves('can be had where the cluster says so, to anybody', async () => {
    const shape = await (await open('/', {}, 'alice')).can.describeCluster?.();
    expect(shape).toMatchObject({ liveNodeCount: 5, rackCount: 1 });
    expect(shape?.enabledCodes).toContain('RS-3-2-1024k');
    expect(shape?.enabledCodes).not.toContain('RS-10-4-1024k');
  });

  behaves('is not written where its policy is not enabled, and nothing is left', async () => {
    const store = await open('/not-enabled');
    const writing = store.write('folder/a', () => [sampleBytes(9, 9)], {
      ...once,
      redundancy: reedSolomon(10, 4),
    });
    const error = await errorOf(writing);
    expect(error.message).toContain('RS-10-4-1024k');
    expect(await store.stat('folder/a')).toBeUndefined();
    expect(await store.list('coding/RS-10-4-1024k')).toEqual([]);
  });
});

describe('a user whom HDFS does not let', () => {
  behaves('write is told permission-denied, with the user and what to check', async () => {
    const error = await errorOf(
      (await open('/', {}, 'alice')).write('a', () => [Buffer.from('x')], once),
    );
    expect(error.code).toBe('permission-denied');
    expect(error.message).toContain('user=alice');
    expect(error.message).toContain('user.name');
  });

  behaves('read is told permission-denied by every method', async () => {
    const store = await open('/private');
    await store.write('folder/a', () => [Buffer.from('x')], once);
    const alice = await open('/', {}, 'alice');
    const name = 'private/folder/a';
    for (const act of [
      alice.read(name, 0, 1),
      alice.blocks(name),
      alice.stat(name),
      alice.list('private/folder'),
      alice.rename(name, 'private/folder/b'),
      alice.remove(name),
    ]) {
      expect((await errorOf(act)).code).toBe('permission-denied');
    }
    expect(await store.stat('folder/a')).toBeDefined();
  });

  behaves('write more than a quota is told no-space', async () => {
    const store = await open('/quota');
    await store.write('a', () => [Buffer.from('x')], once);
    await cluster.dfsAdmin(['-setSpaceQuota', String(blockSizeBytes), '/quota']);
    const error = await errorOf(store.write('b', () => [Buffer.from('x')], thrice));
    expect(error.code).toBe('no-space');
    expect((await store.list('')).map((file) => file.name)).toEqual(['a']);
  });
});

describe('safe mode', () => {
  behaves('is waited out', async () => {
    const store = await open('/safe-mode');
    await cluster.dfsAdmin(['-safemode', 'enter']);
    const writing = store.write('a', () => [Buffer.from('x')], once);
    await cluster.dfsAdmin(['-safemode', 'leave']);
    expect(await writing).toBe(1);
  });

  behaves('that does not end is unavailable', async () => {
    const store = await open('/safe-mode', {
      retry: { attemptCount: 2, firstDelayMs: 1, maxDelayMs: 1 },
    });
    await cluster.dfsAdmin(['-safemode', 'enter']);
    try {
      const error = await errorOf(store.write('b', () => [Buffer.from('x')], once));
      expect(error.code).toBe('unavailable');
      expect(error.message).toContain('safe mode');
    } finally {
      await cluster.dfsAdmin(['-safemode', 'leave']);
    }
  });
});

describe('a wrong URL', () => {
  behaves('with the port of Hadoop RPC is usage, and says which port is meant', async () => {
    const error = await errorOf(openWebHdfsStore(cluster.defaultFs.replace('hdfs:', 'webhdfs:')));
    expect(error.code).toBe('usage');
    expect(error.message).toContain('not its RPC port');
  });

  behaves('with a port where nothing listens is unavailable, and says where', async () => {
    const error = await errorOf(openWebHdfsStore('webhdfs://127.0.0.1:1/'));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('127.0.0.1:1: nothing listens there');
  });

  behaves('with TLS for a server without is usage', async () => {
    const url = cluster.webhdfsUrl('/').replace('webhdfs:', 'swebhdfs:');
    const error = await errorOf(openWebHdfsStore(url));
    expect(error.code).toBe('usage');
    expect(error.message).toContain('does not speak TLS');
  });

  behaves('whose path is a file is usage', async () => {
    await (await open('/a-file')).write('a', () => [Buffer.from('x')], once);
    expect((await errorOf(open('/a-file/a'))).code).toBe('usage');
  });
});

describe('a snapshot that HDFS has of the folder', () => {
  behaves('can be read, and refuses a write at once, in words of its own', async () => {
    const live = await open('/watched');
    await live.write('a', () => [Buffer.from('kept')], once);
    expect((await cluster.dfsAdmin(['-allowSnapshot', '/watched'])).exitCode).toBe(0);
    expect((await cluster.hdfsDfs(['-createSnapshot', '/watched', 'then'])).exitCode).toBe(0);
    await live.remove('a');

    const then = await open('/watched/.snapshot/then');
    expect((await then.list('')).map(({ name }) => name)).toEqual(['a']);
    expect(Buffer.from(await then.read('a', 0, 4)).toString()).toBe('kept');
    const changes = [
      () => then.write('b', () => [Buffer.from('x')], once),
      () => then.rename('a', 'b'),
      () => then.remove('a'),
    ];
    for (const change of changes) {
      const tookMs = await elapsedMs(async () => {
        const error = await errorOf(change());
        expect(error.code).toBe('permission-denied');
        expect(error.message).toContain('Modification on a read-only snapshot is disallowed');
        expect(error.message).toContain('outside of .snapshot');
      });
      // Retries would take 17 s.
      expect(tookMs).toBeLessThan(10_000);
    }
  });
});

describe('a DataNode that died a moment ago', () => {
  behaves('does not keep a file with other copies from being read', async () => {
    const store = await open('/dead');
    const bytes = sampleBytes(mebibyte, 3);
    await store.write('thrice', () => [bytes], thrice);
    const holders = await holdersOf(store, 'thrice');
    await withDead(holders.slice(0, 2), async () => {
      for (let count = 0; count < 5; count++) {
        expectSameBytes(await store.read('thrice', 0, bytes.length), bytes);
      }
    });
  });

  behavesInWhole(
    'puts its only copies out of reach at once, and loses them once HDFS knows',
    async () => {
      const store = await open('/dead');
      await store.write('once', () => [sampleBytes(mebibyte, 4)], once);
      const holders = await holdersOf(store, 'once');
      await withDead(holders, async () => {
        const tookMs = await elapsedMs(async () => {
          const error = await errorOf(store.read('once', 0, 10));
          expect(error).toBeInstanceOf(UnreachableCopies);
          expect(error.message).toContain(holders[0].httpAddress);
        });
        // Reading on would be 20 s of silence.
        expect(tookMs).toBeLessThan(10_000);
        expect((await store.blocks('once'))[0].locations).toHaveLength(1);

        await cluster.waitForLiveDataNodes(4);
        const error = await errorOf(store.read('once', 0, 10));
        expect(error.code).toBe('data-lost');
        expect(error.message).toContain('no live copy');
      });
      expect(await store.read('once', 0, 10)).toHaveLength(10);
    },
  );

  behaves('is passed over by a write', async () => {
    const store = await open('/dead', {
      retry: { attemptCount: 8, firstDelayMs: 10, maxDelayMs: 50 },
    });
    await withDead(cluster.dataNodes.slice(0, 2), async () => {
      for (let index = 0; index < 6; index++) {
        expect(await store.write(`write-${index}`, () => [Buffer.from('x')], thrice)).toBe(1);
      }
    });
  });
});

behaves('a DataNode that hangs is given up after the timeout', async () => {
  const store = await open('/hang', { idleTimeoutMs: 500 });
  await store.write('once', () => [sampleBytes(1000, 5)], once);
  const [holder] = await holdersOf(store, 'once');
  process.kill(holder.pid, 'SIGSTOP');
  try {
    const tookMs = await elapsedMs(async () => {
      expect(await errorOf(store.read('once', 0, 10))).toBeInstanceOf(UnreachableCopies);
    });
    // The default timeout is 15 s.
    expect(tookMs).toBeLessThan(10_000);
  } finally {
    process.kill(holder.pid, 'SIGCONT');
  }
  expect(await store.read('once', 0, 10)).toHaveLength(10);
});

describe('a DataNode that dies while a file is written through it', () => {
  /** Kills, amid the stream, the DataNode that has the only copy, and returns how often the content was asked for. */
  async function writeWithDeath(store: Store, name: string, bytes: Buffer): Promise<number> {
    let callCount = 0;
    const killed: HdfsDataNode[] = [];
    async function* content(): AsyncGenerator<Uint8Array> {
      callCount++;
      const half = bytes.length / 2;
      yield bytes.subarray(0, half);
      if (killed.length === 0) {
        killed.push(await dataNodeInPipeline(store, name));
        // Listed first, written to a moment later.
        await new Promise((resolve) => setTimeout(resolve, 300));
        await killed[0].kill();
      }
      yield bytes.subarray(half);
    }
    try {
      await store.write(name, content, once);
    } finally {
      await Promise.all(killed.map((dataNode) => dataNode.restart()));
      await cluster.waitForLiveDataNodes(5);
      await untilAnswering(killed);
    }
    return callCount;
  }

  /** The upload is listed under a name of its own, with a block being written. */
  async function dataNodeInPipeline(store: Store, name: string): Promise<HdfsDataNode> {
    for (;;) {
      const upload = (await store.list('')).find((file) => file.name.startsWith(`${name}._`));
      const locations = upload ? (await store.blocks(upload.name))[0]?.locations : undefined;
      if (locations?.[0] !== undefined) {
        return dataNodeOf(locations[0]);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  behaves('at replication 1 costs another upload, and one right file is left', async () => {
    const store = await open('/dying');
    const bytes = sampleBytes(6 * mebibyte, 6);
    expect(await writeWithDeath(store, 'once', bytes)).toBeGreaterThan(1);
    expectSameBytes(await store.read('once', 0, bytes.length), bytes);
    expect((await store.list('')).map((file) => file.name)).toEqual(['once']);
  });
});

describe('a NameNode that is away', () => {
  behavesInWhole('is waited for', async () => {
    const store = await open('/away');
    await store.write('a', () => [Buffer.from('x')], once);
    await cluster.killNameNode();
    const [writing, reading] = [
      store.write('b', () => [Buffer.from('yz')], once),
      store.read('a', 0, 1),
    ];
    await cluster.restartNameNode();
    expect(await writing).toBe(2);
    expect(await reading).toEqual(new Uint8Array(Buffer.from('x')));
    await cluster.waitForLiveDataNodes(5);
  });
});
