// A proxy in front of the NameNode that gives out the proxies of a case in place of DataNodes, so that the client and the DataNodes
// among themselves go through these; and that can lose a call or its answer.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import {
  addBlock,
  getBlockLocations,
  reportBadBlocks,
} from '../../src/store/hdfs/proto/client-namenode-protocol.js';
import type { DatanodeInfo, LocatedBlock } from '../../src/store/hdfs/proto/hdfs.js';
import {
  requestHeader,
  rpcRequestHeader,
  rpcResponseHeader,
  rpcStatus,
} from '../../src/store/hdfs/proto/rpc-header.js';
import { Frames } from '../../src/store/hdfs/rpc/frames.js';
import { WireReader } from '../../src/store/hdfs/wire/wire-reader.js';

/** "hrpc", version, class, no SASL. */
const preambleBytes = 7;

export interface NameNodeProxyOptions {
  readonly nameNodePort: number;
  /** The port of a proxy for each port of a DataNode. */
  readonly proxyPorts: ReadonlyMap<number, number>;
  /** Told of the nodes of a new block, or of a block to be read, by the ports of their proxies. */
  readonly onNodes: (method: string, ports: readonly number[]) => void;
  /** Asked before a call, and before its answer, is passed on. */
  readonly judge: (method: string, which: 'call' | 'answer') => 'pass' | 'mute' | 'cut';
}

export interface NameNodeProxy {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export async function startNameNodeProxy(options: NameNodeProxyOptions): Promise<NameNodeProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const toServer = connect({ host: '127.0.0.1', port: options.nameNodePort, noDelay: true });
    for (const socket of [client, toServer]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    converse(client, toServer, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) {
          socket.destroy();
        }
        server.close(() => {
          resolve();
        });
      }),
  };
}

function converse(
  client: Socket,
  server: Socket,
  { proxyPorts, onNodes, judge }: NameNodeProxyOptions,
): void {
  const dataNodePorts = new Map([...proxyPorts].map(([port, proxyPort]) => [proxyPort, port]));
  const methods = new Map<number, string>();
  let isMute = false;
  const obey = (verdict: 'pass' | 'mute' | 'cut'): boolean => {
    if (verdict === 'mute') {
      isMute = true;
    } else if (verdict === 'cut') {
      client.destroy();
      server.destroy();
    }
    return verdict === 'pass' && !isMute;
  };
  const calls = new Frames();
  let preamble: Buffer = Buffer.alloc(0);
  client.on('data', (piece) => {
    let rest = piece;
    if (preamble.length < preambleBytes) {
      const taken = piece.subarray(0, preambleBytes - preamble.length);
      preamble = Buffer.concat([preamble, taken]);
      server.write(taken);
      rest = piece.subarray(taken.length);
    }
    for (const frame of rest.length === 0 ? [] : calls.push(rest)) {
      const call = callIn(frame, dataNodePorts);
      methods.set(call.id, call.method);
      if (obey(judge(call.method, 'call'))) {
        server.write(framed(call.bytes));
      }
    }
  });
  const answers = new Frames();
  server.on('data', (piece) => {
    for (const frame of answers.push(piece)) {
      const from = new WireReader(frame, 'an answer');
      const header = rpcResponseHeader.read(from);
      const method = methods.get(header.callId) ?? '';
      const bytes = answerWith(method, header, from, frame, (block) => {
        const moved = movedBlock(block, proxyPorts);
        onNodes(
          method,
          moved.locs.map(({ id }) => id.xferPort),
        );
        return moved;
      });
      if (obey(judge(method, 'answer'))) {
        client.write(framed(bytes));
      }
    }
  });
  client.on('close', () => server.destroy());
  server.on('close', () => {
    if (!isMute) {
      client.destroy();
    }
  });
}

function callIn(
  frame: Buffer,
  ports: ReadonlyMap<number, number>,
): { readonly id: number; readonly method: string; readonly bytes: Buffer } {
  const from = new WireReader(frame, 'a call');
  const header = rpcRequestHeader.read(from);
  if (header.callId < 0) {
    return { id: header.callId, method: '', bytes: frame };
  }
  const request = requestHeader.read(from);
  const method = request.methodName;
  const heads = [rpcRequestHeader.encodeDelimited(header), requestHeader.encodeDelimited(request)];
  if (method === 'addBlock') {
    const asked = addBlock.request.read(from);
    const excludeNodes = asked.excludeNodes.map((node) => movedNode(node, ports));
    const body = addBlock.request.encodeDelimited({ ...asked, excludeNodes });
    return { id: header.callId, method, bytes: Buffer.concat([...heads, body]) };
  }
  if (method === 'reportBadBlocks') {
    const asked = reportBadBlocks.request.read(from);
    const blocks = asked.blocks.map((block) => movedBlock(block, ports));
    const body = reportBadBlocks.request.encodeDelimited({ blocks });
    return { id: header.callId, method, bytes: Buffer.concat([...heads, body]) };
  }
  return { id: header.callId, method, bytes: frame };
}

function answerWith(
  method: string,
  header: ReturnType<typeof rpcResponseHeader.decode>,
  from: WireReader,
  frame: Buffer,
  move: (block: LocatedBlock) => LocatedBlock,
): Buffer {
  if (header.status !== rpcStatus.success) {
    return frame;
  }
  const head = rpcResponseHeader.encodeDelimited(header);
  if (method === 'addBlock') {
    const { block } = addBlock.response.read(from);
    return Buffer.concat([head, addBlock.response.encodeDelimited({ block: move(block) })]);
  }
  if (method === 'getBlockLocations') {
    const answer = getBlockLocations.response.read(from);
    const { locations } = answer;
    const moved = locations && { ...locations, blocks: locations.blocks.map(move) };
    const body = getBlockLocations.response.encodeDelimited({ ...answer, locations: moved });
    return Buffer.concat([head, body]);
  }
  return frame;
}

function movedBlock(block: LocatedBlock, ports: ReadonlyMap<number, number>): LocatedBlock {
  return { ...block, locs: block.locs.map((node) => movedNode(node, ports)) };
}

function movedNode(node: DatanodeInfo, ports: ReadonlyMap<number, number>): DatanodeInfo {
  const { id } = node;
  return { ...node, id: { ...id, xferPort: ports.get(id.xferPort) ?? id.xferPort } };
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
