// One case: proxies of its own, a store that goes through them, one file written or read, and how long that took.

import { setTimeout as delay } from 'node:timers/promises';
import { openHdfsStore } from '../../src/store/hdfs/hdfs-store.js';
import { packetDataBytes } from '../../src/store/hdfs/transfer/packet.js';
import { copies } from '../../src/store/redundancy.js';
import type { Store } from '../../src/store/store.js';
import { untilAnswering } from '../hdfs/answering.js';
import type { HdfsCluster, HdfsDataNode } from '../hdfs/cluster.js';
import { contentInThread } from '../store/hdfs/content-in-thread.js';
import { type Bounds, retry } from './bounds.js';
import { startNameNodeProxy } from './name-node-proxy.js';
import { NodeProxy } from './node-proxy.js';
import { Strike } from './strike.js';
import type { WireCase } from './wire-case.js';

const blockSizeBytes = 4 * 2 ** 20;
const pieceBytes = 2 ** 20;
const chunkBytes = 100_000;

/** A fault may come too late where a busy machine has kept an attempt from its point. */
const tryCount = 3;

export interface CaseOutcome {
  readonly struckCount: number;
  /** How often the content was asked for; 1 for a read. */
  readonly attemptCount: number;
  readonly tookMs: number;
  /** What is not as it should be; nothing when all is well. */
  readonly wrong: readonly string[];
}

/** The bytes of a case's file. */
export function bytesOf({ number, sizeBytes }: WireCase): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = (number * 2654435761 + 1) >>> 0;
  for (let at = 0; at < sizeBytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

export function nameOfCase({ number }: WireCase): string {
  return `case-${number}`;
}

/** `folder`: of HDFS. The file is judged later, with those of other cases (judge.ts). */
export async function runCase(
  cluster: HdfsCluster,
  folder: string,
  wireCase: WireCase,
  bounds: Bounds,
): Promise<CaseOutcome> {
  for (let count = 1; ; count++) {
    const outcome = await tryCase(cluster, folder, wireCase, bounds);
    if (outcome.struckCount > 0) {
      return outcome;
    }
    if (count === tryCount) {
      return { ...outcome, wrong: [...outcome.wrong, 'the fault never struck'] };
    }
    await withStore(cluster.hdfsUrl(folder), bounds, (store) => store.remove(nameOfCase(wireCase)));
  }
}

async function tryCase(
  cluster: HdfsCluster,
  folder: string,
  wireCase: WireCase,
  bounds: Bounds,
): Promise<CaseOutcome> {
  const struck: HdfsDataNode[] = [];
  const proxies: NodeProxy[] = [];
  const nodeOfPort = new Map<number, HdfsDataNode>();
  const strike = new Strike({
    wireCase,
    strikeProcess: async (port) => {
      const node = nodeOfPort.get(port);
      if (node === undefined) {
        throw new Error(`no DataNode behind the port ${port}`);
      }
      struck.push(node);
      if (wireCase.action === 'killed') {
        await node.kill();
      } else {
        process.kill(node.pid, 'SIGSTOP');
      }
    },
  });
  const proxyPorts = new Map<number, number>();
  for (const node of cluster.dataNodes) {
    const proxy: NodeProxy = await NodeProxy.start(portOf(node.name), (moment) =>
      strike.nodeVerdict(proxy.port, moment),
    );
    proxies.push(proxy);
    proxyPorts.set(portOf(node.name), proxy.port);
    nodeOfPort.set(proxy.port, node);
  }
  const nameNode = await startNameNodeProxy({
    nameNodePort: portOf(cluster.defaultFs),
    proxyPorts,
    onNodes: (method, ports) => {
      strike.onNodes(method, ports);
    },
    judge: (method, which) => strike.nameNodeVerdict(method, which),
  });
  const url = `hdfs://127.0.0.1:${nameNode.port}${folder}`;
  const wrong: string[] = [];
  let tookMs = 0;
  let attemptCount = 1;
  try {
    if (wireCase.operation === 'read') {
      await withStore(cluster.hdfsUrl(folder), bounds, async (store) => {
        await writeCase(store, wireCase);
      });
    }
    await withStore(url, bounds, async (store) => {
      const startMs = performance.now();
      if (wireCase.operation === 'write') {
        attemptCount = await writeCase(store, wireCase);
      } else {
        await readCase(store, wireCase);
      }
      tookMs = performance.now() - startMs;
    });
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await nameNode.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await mend(cluster, struck, wireCase);
  }
  const boundMs = attemptCount * bounds.attemptMs;
  if (tookMs > boundMs) {
    wrong.push(
      `it took ${Math.round(tookMs)} ms; the bound of ${attemptCount} attempts is ${boundMs} ms`,
    );
  }
  return { struckCount: strike.count, attemptCount, tookMs, wrong };
}

async function withStore(
  url: string,
  { timeouts }: Bounds,
  act: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openHdfsStore(url, { ...timeouts, retry });
  try {
    await act(store);
  } finally {
    await store.close();
  }
}

/** Pieces that come to packets of the length that those of a stream have: there the case strikes. */
const packetParts = 29;

/** Returns how many attempts it took. */
async function writeCase(store: Store, wireCase: WireCase): Promise<number> {
  const { copyCount, nameTells } = wireCase;
  const bytes = bytesOf(wireCase);
  let attemptCount = 0;
  function* content(): Generator<Uint8Array> {
    attemptCount++;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield bytes.subarray(at, at + chunkBytes);
    }
  }
  // What is written under its name at once is what threads send: packs.
  const fromThread = contentInThread(bytes, packetDataBytes / packetParts, () => {
    attemptCount++;
  });
  await store.write(nameOfCase(wireCase), nameTells === 'nothing' ? fromThread : content, {
    redundancy: copies(copyCount),
    blockSizeBytes,
    nameTells,
  });
  return attemptCount;
}

/** As a restore reads a pack: pieces, several at once. */
async function readCase(store: Store, wireCase: WireCase): Promise<void> {
  const bytes = bytesOf(wireCase);
  const offsets = Array.from(
    { length: Math.ceil(bytes.length / pieceBytes) },
    (_, index) => index * pieceBytes,
  );
  await Promise.all(
    offsets.map(async (offsetBytes) => {
      const sizeBytes = Math.min(pieceBytes, bytes.length - offsetBytes);
      const into = new Uint8Array(pieceBytes);
      const found = await store.read(nameOfCase(wireCase), offsetBytes, sizeBytes, { into });
      if (Buffer.compare(found, bytes.subarray(offsetBytes, offsetBytes + sizeBytes)) !== 0) {
        throw new Error(`the bytes from ${offsetBytes} on are others than were written`);
      }
    }),
  );
}

async function mend(
  cluster: HdfsCluster,
  struck: readonly HdfsDataNode[],
  { action }: WireCase,
): Promise<void> {
  if (action === 'stopped') {
    for (const node of struck) {
      process.kill(node.pid, 'SIGCONT');
    }
  } else if (action === 'killed') {
    await Promise.all(struck.map((node) => node.restart()));
    await untilAnswering(struck);
  }
  if (struck.length > 0) {
    await cluster.waitForLiveDataNodes(cluster.dataNodes.length);
    // One that went on has connections of before to end first.
    await delay(200);
  }
}

function portOf(hostPort: string): number {
  return Number(hostPort.slice(hostPort.lastIndexOf(':') + 1));
}
