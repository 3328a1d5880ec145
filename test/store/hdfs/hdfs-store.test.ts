// Against a real HDFS: the shared contract, files that Hadoop's own client reads and writes, and what happens when daemons die. One
// cluster serves all tests, which leave it whole: five live DataNodes and a NameNode that takes writes.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HdfsOptions, openHdfsStore } from '../../../src/store/hdfs/hdfs-store.js';
import { packetDataBytes } from '../../../src/store/hdfs/transfer/packet.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { UnreachableCopies } from '../../../src/store/unreachable.js';
import { FileChecksum } from '../../../src/store/webhdfs/file-checksum.js';
import { untilAnswering } from '../../hdfs/answering.js';
import { type HdfsCluster, type HdfsDataNode, startHdfs } from '../../hdfs/cluster.js';
import { makeCodedFolder, putFile, setStoragePolicy } from '../../hdfs/files-on-hdfs.js';
import { sliceOf } from '../../slice.js';
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

let cluster: HdfsCluster;
beforeAll(async () => {
  cluster = await startHdfs();
}, testTimeoutMs);
afterAll(async () => {
  await cluster.close();
});

describeStoreContract(
  'the HDFS store',
  async () => ({
    store: await openHdfsStore(cluster.hdfsUrl('/contract')),
    cleanup: () => Promise.resolve(),
  }),
  ['raiseRedundancy', 'sendFromThreads', 'describeCluster'],
);

const openStores: Store[] = [];
afterEach(async () => {
  for (const store of openStores.splice(0)) {
    await store.close();
  }
});

async function open(path: string, options: HdfsOptions = {}, userName?: string): Promise<Store> {
  const store = await openHdfsStore(cluster.hdfsUrl(path, userName), options);
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

async function holdersOf(store: Store, name: string): Promise<readonly HdfsDataNode[]> {
  const [block] = await store.blocks(name);
  return block.locations.map((location) => {
    const found = cluster.dataNodes.find((dataNode) => dataNode.name === location);
    if (!found) {
      throw new Error(`no DataNode ${location}`);
    }
    return found;
  });
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

describe('a file written here', () => {
  behaves('is what hdfs dfs shows, readable by its owner only', async () => {
    const store = await open('/shown');
    await store.write('folder/a', () => [Buffer.from('hello\n')], thrice);
    expect((await cluster.hdfsDfs(['-cat', '/shown/folder/a'])).stdout).toBe('hello\n');
    const { stdout } = await cluster.hdfsDfs(['-ls', '-R', '/shown']);
    expect(stdout).toMatch(/^drwx------ .* \/shown\/folder$/m);
    expect(stdout).toMatch(/^-rw------- {3}3 .* \/shown\/folder\/a$/m);
  });

  const sizesBytes = [0, 1, 511, 512, 513, packetDataBytes - 1, packetDataBytes];
  sizesBytes.push(packetDataBytes + 1, 2 * packetDataBytes, mebibyte * 4 - 1, mebibyte * 4);
  behaves('is read by hdfs dfs, and has its checksum, at sizes around every boundary', async () => {
    const store = await open('/sizes');
    const options = { redundancy: copies(2), blockSizeBytes: 4 * mebibyte };
    const checksums = new Map<string, string>();
    for (const sizeBytes of sizesBytes) {
      const bytes = sampleBytes(sizeBytes, sizeBytes % 251);
      expect(await store.write(String(sizeBytes), () => [bytes], options)).toBe(sizeBytes);
      const checksum = new FileChecksum(options.blockSizeBytes);
      checksum.update(bytes);
      checksums.set(String(sizeBytes), checksum.digest());
    }
    const local = join(cluster.folder, 'sizes');
    expect((await cluster.hdfsDfs(['-get', '/sizes', local])).exitCode).toBe(0);
    const names = [...checksums.keys()];
    const { stdout } = await cluster.hdfsDfs([
      '-checksum',
      ...names.map((name) => `/sizes/${name}`),
    ]);
    for (const [index, line] of stdout.trimEnd().split('\n').entries()) {
      const name = names[index];
      const bytes = sampleBytes(Number(name), Number(name) % 251);
      expectSameBytes(await readFile(join(local, name)), bytes);
      expectSameBytes(await store.read(name, 0, bytes.length), bytes);
      expect(line).toContain(checksums.get(name));
    }
  });

  behaves('has its copies at once, whole, and nothing is left open', async () => {
    const store = await open('/whole');
    for (let index = 0; index < 5; index++) {
      await store.write(`a${index}`, () => [sampleBytes(3 * mebibyte, index)], thrice);
    }
    const report = await cluster.fsck('/whole');
    expect(report).toContain("The filesystem under path '/whole' is HEALTHY");
    expect(report).not.toContain('OPENFORWRITE');
  });
});

describe('a name that tells nothing', () => {
  behaves('is not taken from who writes under it, by the same client or by another', async () => {
    const store = await open('/being-written');
    const other = await open('/being-written');
    const bytes = sampleBytes(2 * mebibyte, 9);
    const options = { ...thrice, nameTells: 'nothing' } as const;
    async function* content(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, mebibyte);
      while ((await store.stat('a')) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      for (const writer of [store, other]) {
        const error = await errorOf(writer.write('a', () => [Buffer.from('x')], options));
        expect(error.code).toBe('already-exists');
      }
      yield bytes.subarray(mebibyte);
    }
    await store.write('a', content, options);
    expectSameBytes(await store.read('a', 0, bytes.length), bytes);
    expect((await store.list('')).map(({ name }) => name)).toEqual(['a']);
  });
});

describe('a file written by hdfs dfs', () => {
  behaves('of many blocks is read across their boundaries', async () => {
    const bytes = sampleBytes(3 * mebibyte + 777, 1);
    const local = join(cluster.folder, 'many-blocks');
    await writeFile(local, bytes);
    await putFile(cluster, local, '/many-blocks', { replication: 2, blockSizeBytes: mebibyte });
    const store = await open('/');
    expect(await store.blocks('many-blocks')).toHaveLength(4);
    expectSameBytes(await store.read('many-blocks', 0, bytes.length), bytes);
    for (const [offsetBytes, sizeBytes] of [
      [mebibyte - 5, 10],
      [mebibyte, 1],
      [511, 2],
      [513, 100_000],
      [3 * mebibyte + 776, 1],
    ]) {
      expectSameBytes(
        await store.read('many-blocks', offsetBytes, sizeBytes),
        bytes.subarray(offsetBytes, offsetBytes + sizeBytes),
      );
    }
  });

  const kinds = [
    ['CRC32', 512],
    ['CRC32C', 4096],
    ['NULL', 512],
    ['CRC32C', 65536],
    ['CRC32C', 512],
    ['CRC32', 4096],
    ['CRC32', 65536],
    ['NULL', 65536],
  ] as const;
  /** What fits into a packet of 64 KiB of Hadoop's client beside its checksums and header. */
  const theirPacketBytes = 126 * 512;
  test.each(sliceOf(kinds, 2))(
    'with checksums %s of %i bytes is read, at sizes around every boundary and in ranges around them',
    async (type, chunkBytes) => {
      const around = [chunkBytes, theirPacketBytes, mebibyte, 2 * mebibyte];
      const boundaries = around.flatMap((size) => [size - 1, size, size + 1]);
      const sizes = [...new Set([0, 1, ...boundaries])];
      const name = `checksum-${type}-${chunkBytes}`;
      const local = join(cluster.folder, name);
      await mkdir(local);
      for (const sizeBytes of sizes) {
        await writeFile(join(local, String(sizeBytes)), sampleBytes(sizeBytes, sizeBytes % 251));
      }
      const set = [
        `dfs.checksum.type=${type}`,
        `dfs.bytes-per-checksum=${chunkBytes}`,
        `dfs.blocksize=${mebibyte}`,
        'dfs.replication=2',
      ];
      const args = set.flatMap((property) => ['-D', property]);
      expect((await cluster.hdfsDfs([...args, '-put', local, `/${name}`])).exitCode).toBe(0);
      const store = await open(`/${name}`);
      for (const sizeBytes of sizes) {
        const bytes = sampleBytes(sizeBytes, sizeBytes % 251);
        const file = String(sizeBytes);
        expectSameBytes(await store.read(file, 0, sizeBytes), bytes);
        for (const boundary of boundaries.filter((at) => at < sizeBytes)) {
          const pieceBytes = Math.min(3, sizeBytes - boundary);
          expectSameBytes(
            await store.read(file, boundary, pieceBytes),
            bytes.subarray(boundary, boundary + pieceBytes),
          );
        }
      }
    },
    testTimeoutMs,
  );

  behaves(
    'in a folder with erasure coding is counted in units, and read by webhdfs:// only',
    async () => {
      await makeCodedFolder(cluster, '/ec', 'RS-3-2-1024k');
      const local = join(cluster.folder, 'coded');
      await writeFile(local, sampleBytes(5 * mebibyte, 3));
      await putFile(cluster, local, '/ec/theirs', {
        replication: 1,
        blockSizeBytes: 16 * mebibyte,
      });
      const store = await open('/ec');
      const [block] = await store.blocks('theirs');
      expect(block.coding).toEqual({ dataUnitCount: 3, parityUnitCount: 2 });
      expect(block.locations).toHaveLength(5);
      const error = await errorOf(store.read('theirs', 0, 1));
      expect(error.code).toBe('unsupported');
      expect(error.message).toContain('webhdfs://');
      // To the superuser, as whom it was asked.
      const shape = await store.can.describeCluster?.();
      expect(shape).toMatchObject({ liveNodeCount: 5, rackCount: 1 });
      expect(shape?.enabledCodes).toContain('RS-3-2-1024k');
      expect(shape?.enabledCodes).not.toContain('RS-10-4-1024k');
      const stranger = await (await open('/', {}, 'alice')).can.describeCluster?.();
      expect(stranger).toMatchObject({ liveNodeCount: undefined, rackCount: undefined });
      // What is written here has the copies that were asked for.
      await store.write('ours', () => [sampleBytes(1000, 4)], thrice);
      expect(await store.storedBytes('ours')).toBe(3000);
      expectSameBytes(await store.read('ours', 0, 1000), sampleBytes(1000, 4));
    },
  );
});

describe('a user whom HDFS does not let', () => {
  behaves('write is told permission-denied', async () => {
    const alice = await open('/', {}, 'alice');
    const error = await errorOf(alice.write('a', () => [Buffer.from('x')], once));
    expect(error.code).toBe('permission-denied');
    expect(error.message).toContain('user=alice');
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

  behaves('use disks of the kind that a policy asks for is told which', async () => {
    const store = await open('/cold');
    await store.write('a', () => [Buffer.from('x')], once);
    await setStoragePolicy(cluster, '/cold', 'COLD');
    const error = await errorOf(store.write('b', () => [Buffer.from('x')], once));
    expect(error.code).toBe('no-space');
    expect(error.message).toContain('ARCHIVE');
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
    const retry = { attemptCount: 2, firstDelayMs: 1, maxDelayMs: 1 };
    const store = await open('/safe-mode', { retry });
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
  behaves('with the port of HTTP is usage, and says which port is meant', async () => {
    const url = cluster.nameNodeHttpUrl.replace('http:', 'hdfs:');
    const error = await errorOf(openHdfsStore(url));
    expect(error.code).toBe('usage');
    expect(error.message).toContain('RPC port (8020)');
  });

  behaves('with a port where nothing listens is unavailable, and says where', async () => {
    const error = await errorOf(openHdfsStore('hdfs://127.0.0.1:1/'));
    expect(error.code).toBe('unavailable');
    expect(error.message).toContain('127.0.0.1:1: nothing listens there');
  });

  behaves('whose path is a file is usage', async () => {
    await (await open('/a-file')).write('a', () => [Buffer.from('x')], once);
    expect((await errorOf(open('/a-file/a'))).code).toBe('usage');
  });
});

describe('of two NameNodes', () => {
  behaves('the one that is there is asked', async () => {
    const url = cluster.hdfsUrl('/two').replace('hdfs://', 'hdfs://127.0.0.1:1,');
    const store = await openHdfsStore(url);
    openStores.push(store);
    await store.write('a', () => [Buffer.from('x')], once);
    expect(await store.read('a', 0, 1)).toEqual(Buffer.from('x'));
  });
});

describe('a copy whose bytes went bad on its disk', () => {
  async function spoil(holder: HdfsDataNode, sizeBytes: number): Promise<void> {
    for (const file of await readdir(holder.dataFolder, { recursive: true })) {
      const path = join(holder.dataFolder, file);
      if (!/\/finalized\/.*\/blk_[^/.]+$/.test(file)) {
        continue;
      }
      const bytes = await readFile(path);
      if (bytes.length !== sizeBytes) {
        continue;
      }
      bytes[1000] ^= 1;
      await writeFile(path, bytes);
      return;
    }
    throw new Error('the block is not there');
  }

  behaves('is passed over, reported, and made anew', async () => {
    const store = await open('/spoilt');
    const bytes = sampleBytes(700_001, 7);
    await store.write('thrice', () => [bytes], thrice);
    const holders = await holdersOf(store, 'thrice');
    await Promise.all(holders.slice(0, 2).map((holder) => spoil(holder, bytes.length)));
    expectSameBytes(await store.read('thrice', 0, bytes.length), bytes);
    expectSameBytes(await store.read('thrice', 900, 1000), bytes.subarray(900, 1900));
  });

  behaves('is the end of it when it was the only one', async () => {
    const store = await open('/spoilt');
    const bytes = sampleBytes(700_003, 8);
    await store.write('once', () => [bytes], once);
    const [holder] = await holdersOf(store, 'once');
    await spoil(holder, bytes.length);
    expect((await errorOf(store.read('once', 0, bytes.length))).code).toBe('data-lost');
    expect((await store.blocks('once'))[0].locations).toEqual([]);
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

  behaves('puts its only copies out of reach at once, and loses them once HDFS knows', async () => {
    const store = await open('/dead');
    await store.write('once', () => [sampleBytes(mebibyte, 4)], once);
    const holders = await holdersOf(store, 'once');
    await withDead(holders, async () => {
      const tookMs = await elapsedMs(async () => {
        const error = await errorOf(store.read('once', 0, 10));
        expect(error).toBeInstanceOf(UnreachableCopies);
        expect(error.message).toContain(holders[0].name);
      });
      expect(tookMs).toBeLessThan(10_000);
      expect((await store.blocks('once'))[0].locations).toHaveLength(1);

      await cluster.waitForLiveDataNodes(4);
      const error = await errorOf(store.read('once', 0, 10));
      expect(error.code).toBe('data-lost');
      expect(error.message).toContain('no live copy');
    });
    // The node tells of its blocks a moment after it is there.
    while ((await holdersOf(store, 'once')).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await store.read('once', 0, 10)).toHaveLength(10);
  });

  behaves('is passed over by a write', async () => {
    const retry = { attemptCount: 8, firstDelayMs: 10, maxDelayMs: 50 };
    const store = await open('/dead', { retry });
    await withDead(cluster.dataNodes.slice(0, 2), async () => {
      for (let index = 0; index < 6; index++) {
        expect(await store.write(`write-${index}`, () => [Buffer.from('x')], thrice)).toBe(1);
      }
    });
  });
});

describe('a DataNode that hangs', () => {
  async function withStopped(dataNode: HdfsDataNode, act: () => Promise<void>): Promise<void> {
    process.kill(dataNode.pid, 'SIGSTOP');
    try {
      await act();
    } finally {
      process.kill(dataNode.pid, 'SIGCONT');
    }
  }

  behaves('is given up after the timeout by a read', async () => {
    const store = await open('/hang', { idleTimeoutMs: 500 });
    await store.write('once', () => [sampleBytes(1000, 5)], once);
    const [holder] = await holdersOf(store, 'once');
    await withStopped(holder, async () => {
      const tookMs = await elapsedMs(async () => {
        expect(await errorOf(store.read('once', 0, 10))).toBeInstanceOf(UnreachableCopies);
      });
      expect(tookMs).toBeLessThan(10_000);
    });
    expect(await store.read('once', 0, 10)).toHaveLength(10);
  });

  behaves(
    'is left out of the next pipeline by a write, wherever in the pipeline it is',
    async () => {
      const store = await open('/hang', { setupTimeoutMs: 3_000, ackTimeoutMs: 3_000 });
      await withStopped(cluster.dataNodes[4], async () => {
        for (let index = 0; index < 6; index++) {
          const bytes = sampleBytes(2 * mebibyte, index);
          await store.write(`write-${index}`, () => [bytes], thrice);
          expectSameBytes(await store.read(`write-${index}`, 0, bytes.length), bytes);
        }
        const blocks = await Promise.all(
          Array.from({ length: 6 }, (_, index) => store.blocks(`write-${index}`)),
        );
        const names = new Set(blocks.flatMap(([{ locations }]) => locations));
        expect(names).not.toContain(cluster.dataNodes[4].name);
      });
      expect((await store.list('')).filter(({ name }) => name.includes('_uploading_'))).toEqual([]);
    },
  );
});

describe('a DataNode that dies while a file is written through it', () => {
  /** Does, amid the stream, something to each node of the pipeline that `pick` picks, and returns how often content was asked for. */
  async function writeWithDeath(
    store: Store,
    name: string,
    copyCount: number,
    pick: (pipeline: readonly HdfsDataNode[]) => HdfsDataNode,
    nameTells: 'whole' | 'nothing' = 'whole',
  ): Promise<void> {
    const bytes = sampleBytes(6 * mebibyte, 6);
    let callCount = 0;
    const killed: HdfsDataNode[] = [];
    async function* content(): AsyncGenerator<Uint8Array> {
      callCount++;
      yield bytes.subarray(0, 3 * mebibyte);
      if (killed.length === 0) {
        const victim = pick(await pipelineOf(store, name));
        killed.push(victim);
        await victim.kill();
      }
      yield bytes.subarray(3 * mebibyte);
    }
    try {
      const redundancy = copies(copyCount);
      await store.write(name, content, { redundancy, blockSizeBytes, nameTells });
      // Its neighbour in the pipeline may be blamed first: then it takes one more.
      expect([2, 3]).toContain(callCount);
      expectSameBytes(await store.read(name, 0, bytes.length), bytes);
      expect((await store.list('')).map((file) => file.name)).toEqual([name]);
    } finally {
      await Promise.all(killed.map((dataNode) => dataNode.restart()));
      await cluster.waitForLiveDataNodes(5);
      await untilAnswering(killed);
    }
  }

  /** The upload is listed, under a name of its own where the final one is to tell that it is whole, with a block being written. */
  async function pipelineOf(store: Store, name: string): Promise<readonly HdfsDataNode[]> {
    for (;;) {
      const upload = (await store.list('')).find((file) => file.name.startsWith(name));
      const holders = upload ? await holdersOf(store, upload.name).catch(() => []) : [];
      if (holders.length > 0) {
        return holders;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  behaves('under its final name is written anew under it', async () => {
    const store = await open('/dying-final');
    await writeWithDeath(store, 'a', 3, (pipeline) => pipeline[1], 'nothing');
  });

  behaves('alone costs another upload, and one right file is left', async () => {
    await writeWithDeath(await open('/dying-1'), 'a', 1, ([first]) => first);
  });

  behaves('as the first of three costs another upload', async () => {
    await writeWithDeath(await open('/dying-first'), 'a', 3, ([first]) => first);
  });

  behaves('as the last of three costs another upload', async () => {
    await writeWithDeath(await open('/dying-last'), 'a', 3, (pipeline) => pipeline[2]);
  });
});

describe('a NameNode that is away', () => {
  behaves('is waited for', async () => {
    // A busy machine takes longer to start it than the usual retries wait.
    const retry = { attemptCount: 60, firstDelayMs: 200, maxDelayMs: 1_000 };
    const store = await open('/away', { retry });
    await store.write('a', () => [Buffer.from('x')], once);
    await cluster.killNameNode();
    const [writing, reading] = [
      store.write('b', () => [Buffer.from('yz')], once),
      store.read('a', 0, 1),
    ];
    await cluster.restartNameNode();
    expect(await writing).toBe(2);
    expect(await reading).toEqual(Buffer.from('x'));
    await cluster.waitForLiveDataNodes(5);
  });
});
