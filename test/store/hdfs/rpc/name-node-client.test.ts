// Calls to NameNodes that answer late, wrongly, elsewhere or never.

import type { Socket } from 'node:net';
import { NameNodes } from '../../../../src/store/hadoop/name-nodes.js';
import { createRetry } from '../../../../src/store/hadoop/retry.js';
import {
  deleteFile,
  getFileInfo,
} from '../../../../src/store/hdfs/proto/client-namenode-protocol.js';
import {
  ipcConnectionContext,
  requestHeader,
  rpcRequestHeader,
  rpcResponseHeader,
  rpcStatus,
} from '../../../../src/store/hdfs/proto/rpc-header.js';
import { maxFrameBytes } from '../../../../src/store/hdfs/rpc/frames.js';
import { NameNodeClient } from '../../../../src/store/hdfs/rpc/name-node-client.js';
import { errorOf } from '../../error-of.js';
import { type FakePeer, lengthBefore, onBytes, startFakePeer } from '../fake-peer.js';

interface Asked {
  readonly callId: number;
  readonly retryCount: number;
  readonly clientId: string;
  readonly method: string;
}

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

const preambleBytes = 7;
const contextCallId = -3;

function decodeFrame(frame: Buffer): Asked | undefined {
  const header = lengthBefore(frame, 0);
  if (header === undefined) {
    throw new Error('no header');
  }
  const { callId, retryCount, clientId } = rpcRequestHeader.decode(
    frame.subarray(header.startBytes, header.endBytes),
    'a request',
  );
  const request = lengthBefore(frame, header.endBytes);
  if (request === undefined) {
    throw new Error('no request');
  }
  const body = frame.subarray(request.startBytes, request.endBytes);
  if (callId === contextCallId) {
    expect(ipcConnectionContext.decode(body, 'a context').userInfo?.effectiveUser).toBe('tester');
    return undefined;
  }
  const { methodName } = requestHeader.decode(body, 'a request');
  const id = Buffer.from(clientId).toString('hex');
  return { callId, retryCount: retryCount ?? -1, clientId: id, method: methodName };
}

/** A NameNode that gives each call to `answer`, and what it has been asked. */
async function startFakeNameNode(
  answer: (socket: Socket, asked: Asked) => void,
): Promise<FakePeer & { readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const peer = await startFakePeer((socket) => {
    let isFirst = true;
    onBytes(socket, (bytes) => {
      if (isFirst) {
        if (bytes.length < preambleBytes) {
          return 0;
        }
        expect(bytes.subarray(0, preambleBytes).toString('hex')).toBe('6872706309' + '0000');
        isFirst = false;
        return preambleBytes;
      }
      if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) {
        return 0;
      }
      const endBytes = 4 + bytes.readUInt32BE(0);
      const found = decodeFrame(bytes.subarray(4, endBytes));
      if (found !== undefined) {
        asked.push(found);
        answer(socket, found);
      }
      return endBytes;
    });
  });
  closing.push(() => peer.close());
  return { ...peer, asked };
}

function frameOf(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function success(callId: number, result = true): Buffer {
  return frameOf(
    rpcResponseHeader.encodeDelimited({ callId, status: rpcStatus.success }),
    deleteFile.response.encodeDelimited({ result }),
  );
}

function failure(callId: number, exceptionClassName: string, errorMsg: string): Buffer {
  const status = rpcStatus.error;
  return frameOf(
    rpcResponseHeader.encodeDelimited({ callId, status, exceptionClassName, errorMsg }),
  );
}

/** `answerTimeoutMs` is short only where it is to pass: both sides share one busy process. */
function clientOf(
  nameNodes: readonly FakePeer[],
  attemptCount = 4,
  answerTimeoutMs = 10_000,
): NameNodeClient {
  const client = new NameNodeClient({
    nameNodes: new NameNodes(nameNodes.map(({ hostPort }) => hostPort)),
    authentication: { kind: 'simple', userName: 'tester' },
    connectTimeoutMs: 5_000,
    answerTimeoutMs,
    retry: createRetry({ attemptCount, firstDelayMs: 1, maxDelayMs: 2 }),
  });
  closing.push(() => {
    client.close();
  });
  return client;
}

function remove(client: NameNodeClient, signal?: AbortSignal): Promise<{ result: boolean }> {
  return client.call(deleteFile, { src: '/a', recursive: true }, { path: '/a', signal });
}

test('answers may come in any order, and in any pieces', async () => {
  const waiting: Asked[] = [];
  const fake = await startFakeNameNode((socket, asked) => {
    waiting.push(asked);
    if (waiting.length < 3) {
      return;
    }
    const bytes = Buffer.concat(
      waiting.map(({ callId }) => success(callId, callId % 2 === 0)).reverse(),
    );
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
    }
  });
  const client = clientOf([fake]);
  const results = await Promise.all([remove(client), remove(client), remove(client)]);
  expect(results.map(({ result }) => result)).toEqual([true, false, true]);
  expect(fake.count()).toBe(1);
});

test('a call whose answer is lost is made again as the same call', async () => {
  const fake = await startFakeNameNode((socket, { callId, retryCount }) => {
    if (retryCount < 2) {
      socket.destroy();
    } else {
      socket.write(success(callId));
    }
  });
  expect(await remove(clientOf([fake]))).toEqual({ result: true });
  expect(fake.asked.map(({ retryCount }) => retryCount)).toEqual([0, 1, 2]);
  expect(new Set(fake.asked.map(({ callId, clientId }) => `${callId} ${clientId}`)).size).toBe(1);
  expect(fake.asked[0].clientId).toMatch(/^[0-9a-f]{32}$/);
});

test('a NameNode that stands by is passed over, and the active one is asked first from then on', async () => {
  const standby = await startFakeNameNode((socket, { callId }) => {
    const name = 'org.apache.hadoop.ipc.StandbyException';
    socket.write(
      failure(callId, name, 'Operation category WRITE is not supported in state standby'),
    );
  });
  const active = await startFakeNameNode((socket, { callId }) => socket.write(success(callId)));
  const client = clientOf([standby, active]);
  expect(await remove(client)).toEqual({ result: true });
  expect(await remove(client)).toEqual({ result: true });
  expect(standby.asked.map(({ retryCount }) => retryCount)).toEqual([0]);
  expect(active.asked.map(({ retryCount }) => retryCount)).toEqual([1, 0]);
});

test('a NameNode that is not ready is asked again', async () => {
  const fake = await startFakeNameNode((socket, { callId, retryCount }) => {
    const name = 'org.apache.hadoop.ipc.RetriableException';
    socket.write(retryCount === 0 ? failure(callId, name, 'safe mode') : success(callId));
  });
  expect(await remove(clientOf([fake]))).toEqual({ result: true });
});

test.each([
  ['org.apache.hadoop.fs.FileAlreadyExistsException', 'already-exists'],
  ['org.apache.hadoop.security.AccessControlException', 'permission-denied'],
  ['org.apache.hadoop.hdfs.protocol.FSLimitException$PathComponentTooLongException', 'usage'],
  ['org.apache.hadoop.hdfs.protocol.DSQuotaExceededException', 'no-space'],
  ['java.io.FileNotFoundException', 'not-found'],
])('%s means %s, and is not asked about again', async (name, code) => {
  const fake = await startFakeNameNode((socket, { callId }) => {
    socket.write(failure(callId, name, 'in words\n\tat org.apache.hadoop.Somewhere'));
  });
  const error = await errorOf(remove(clientOf([fake])));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/^delete \/a at 127.0.0.1:\d+: HDFS says \w+: in words/);
  expect(error.message).not.toContain('Somewhere');
  expect(fake.asked).toHaveLength(1);
});

test('one that wants another authentication says so to each call', async () => {
  const fake = await startFakePeer((socket) => {
    socket.write(
      frameOf(
        rpcResponseHeader.encodeDelimited({
          callId: 2 ** 32 - 33,
          status: rpcStatus.fatal,
          exceptionClassName: 'org.apache.hadoop.security.AccessControlException',
          errorMsg: 'SIMPLE authentication is not enabled.  Available:[TOKEN, KERBEROS]',
        }),
      ),
    );
  });
  closing.push(() => fake.close());
  const error = await errorOf(remove(clientOf([fake])));
  expect(error.code).toBe('permission-denied');
  expect(error.message).toContain('SIMPLE authentication is not enabled');
});

test('silence ends after its time, and a connection without a word is not used again', async () => {
  const fake = await startFakeNameNode(() => undefined);
  const error = await errorOf(remove(clientOf([fake], 2, 300)));
  expect(error.code).toBe('unavailable');
  expect(error.message).toContain('an answer did not come within 300 ms');
  expect(fake.count()).toBe(2);
});

test('one slow call does not end the others of its connection', async () => {
  const fake = await startFakeNameNode((socket, { callId, method }) => {
    if (method === 'delete') {
      socket.write(success(callId));
    }
  });
  const client = clientOf([fake], 1, 300);
  const slow = errorOf(
    client.call(getFileInfo, { src: '/slow' }, { path: '/slow', signal: undefined }),
  );
  for (let count = 0; count < 8; count++) {
    await remove(client);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect((await slow).code).toBe('unavailable');
  await remove(client);
  expect(fake.count()).toBe(1);
});

test('a call ends when its signal is aborted, and its answer is passed over', async () => {
  const abort = new AbortController();
  let late: (() => void) | undefined;
  const fake = await startFakeNameNode((socket, { callId }) => {
    if (late !== undefined) {
      socket.write(success(callId));
      return;
    }
    late = () => socket.write(success(callId));
    abort.abort();
  });
  const client = clientOf([fake]);
  expect((await errorOf(remove(client, abort.signal))).code).toBe('cancelled');
  late?.();
  expect(await remove(client)).toEqual({ result: true });
});

const header = (callId: number) =>
  rpcResponseHeader.encodeDelimited({ callId, status: rpcStatus.success });
test.each([
  [
    'a length over the limit',
    () => Buffer.from([0x7f, 0xff, 0xff, 0xff]),
    'usage',
    String(maxFrameBytes),
  ],
  ['HTTP', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'usage', 'RPC port (8020)'],
  ['noise', () => frameOf(Buffer.alloc(20, 0xff)), 'unsupported', "no message of Hadoop's"],
  ['nothing', () => frameOf(), 'unsupported', "no message of Hadoop's"],
  [
    'half an answer',
    (id: number) => frameOf(header(id), Buffer.from([9, 8])),
    'unsupported',
    '9 bytes more',
  ],
  [
    'an answer without its field',
    (id: number) => frameOf(header(id), Buffer.from([0])),
    'unsupported',
    'DeleteResponseProto.result',
  ],
] as const)('%s in place of an answer is refused in words', async (_, bytes, code, words) => {
  const fake = await startFakeNameNode((socket, { callId }) => socket.write(bytes(callId)));
  const error = await errorOf(remove(clientOf([fake])));
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});
