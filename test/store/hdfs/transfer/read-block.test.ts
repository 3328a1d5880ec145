// A DataNode that gives a block as the test wants it. With real ones: hdfs-store.test.ts.

import type { Socket } from 'node:net';
import { crc32c } from '@node-rs/crc32';
import {
  blockOpResponse,
  clientReadStatus,
  opReadBlock,
  packetHeader,
} from '../../../../src/store/hdfs/proto/datatransfer.js';
import { readBlock } from '../../../../src/store/hdfs/transfer/read-block.js';
import { StreamPool } from '../../../../src/store/hdfs/transfer/stream-pool.js';
import { errorOf } from '../../error-of.js';
import { type FakePeer, lengthBefore, onBytes, startFakePeer } from '../fake-peer.js';
import { blockOn, plainConnector } from '../located.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

const sample = Buffer.alloc(100_001);
for (let at = 0; at < sample.length; at++) {
  sample[at] = at * 7 + (at >>> 9);
}

interface Wish {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

interface PacketForm {
  readonly data: Buffer;
  readonly offsetInBlock: number;
  readonly isLast?: boolean;
  readonly checksums?: Buffer;
  readonly lengthBytes?: number;
}

function packet({ data, offsetInBlock, isLast, checksums, lengthBytes }: PacketForm): Buffer {
  const crcs = checksums ?? checksumsOf(data);
  const header = packetHeader.encode({
    offsetInBlock,
    seqno: 0,
    lastPacketInBlock: isLast ?? false,
    dataLen: data.length,
  });
  const lengths = Buffer.alloc(6);
  lengths.writeUInt32BE(lengthBytes ?? 4 + crcs.length + data.length);
  lengths.writeUInt16BE(header.length, 4);
  return Buffer.concat([lengths, header, crcs, data]);
}

function checksumsOf(data: Buffer): Buffer {
  const crcs = Buffer.alloc(4 * Math.ceil(data.length / 512));
  for (let at = 0; at < data.length; at += 512) {
    crcs.writeUInt32BE(crc32c(data.subarray(at, at + 512)), (4 * at) / 512);
  }
  return crcs;
}

function opening(chunkOffset: number, bytesPerChecksum = 512): Buffer {
  const readOpChecksumInfo = { checksum: { type: 2, bytesPerChecksum }, chunkOffset };
  return blockOpResponse.encodeDelimited({ status: 0, readOpChecksumInfo });
}

const end = (offsetInBlock: number) =>
  packet({ data: Buffer.alloc(0), offsetInBlock, isLast: true });

/** What a DataNode sends: whole chunks, in packets of a few. */
function rightAnswer({ offsetBytes, sizeBytes }: Wish): Buffer {
  const from = offsetBytes - (offsetBytes % 512);
  const to = Math.min(sample.length, 512 * Math.ceil((offsetBytes + sizeBytes) / 512));
  const packets: Buffer[] = [];
  for (let at = from; at < to; at += 8192) {
    packets.push(packet({ data: sample.subarray(at, Math.min(to, at + 8192)), offsetInBlock: at }));
  }
  return Buffer.concat([opening(from), ...packets, end(to)]);
}

/** Asked several times, it counts the reads that were said to be right. */
async function startFakeDataNode(
  answer: (socket: Socket, wish: Wish, connection: number) => void,
): Promise<FakePeer & { readonly confirmedCount: () => number }> {
  let confirmedCount = 0;
  const peer = await startFakePeer((socket, connection) => {
    let isAnswered = false;
    onBytes(socket, (bytes) => {
      const length = lengthBefore(bytes, isAnswered ? 0 : 3);
      if (length === undefined) {
        return 0;
      }
      const body = bytes.subarray(length.startBytes, length.endBytes);
      if (isAnswered) {
        if (clientReadStatus.decode(body, 'a status').status === 6) {
          confirmedCount++;
        }
      } else {
        const { offset, len } = opReadBlock.decode(body, 'a request');
        answer(socket, { offsetBytes: offset, sizeBytes: len }, connection);
      }
      isAnswered = !isAnswered;
      return length.endBytes;
    });
  });
  closing.push(() => peer.close());
  return { ...peer, confirmedCount: () => confirmedCount };
}

const options = {
  clientName: 'tester',
  doing: 'read /a',
  // Both sides share one busy process.
  idleTimeoutMs: 30_000,
  isCheckedByReader: false,
};

function poolOf(): StreamPool {
  const pool = new StreamPool(plainConnector(10_000));
  closing.push(() => {
    pool.close();
  });
  return pool;
}

async function read(
  pool: StreamPool,
  { port }: FakePeer,
  { offsetBytes, sizeBytes }: Wish,
  { signal, ...reading }: { readonly signal?: AbortSignal; readonly idleTimeoutMs?: number } = {},
): Promise<Buffer> {
  const target = Buffer.alloc(sizeBytes);
  const block = blockOn([port]);
  await pool.use(block.locs[0], block.blockToken, 'read /a', signal, (stream) =>
    readBlock(stream, block, offsetBytes, target, { ...options, ...reading }),
  );
  return target;
}

const whole = { offsetBytes: 0, sizeBytes: sample.length };

test('any range is given, over one connection', async () => {
  const node = await startFakeDataNode((socket, wish) => socket.write(rightAnswer(wish)));
  const pool = poolOf();
  const ranges = [
    whole,
    { offsetBytes: 511, sizeBytes: 2 },
    { offsetBytes: 100_000, sizeBytes: 1 },
  ];
  ranges.push({ offsetBytes: 8_000, sizeBytes: 20_000 }, { offsetBytes: 512, sizeBytes: 512 });
  for (const range of ranges) {
    const { offsetBytes, sizeBytes } = range;
    const expected = sample.subarray(offsetBytes, offsetBytes + sizeBytes);
    expect((await read(pool, node, range)).equals(expected)).toBe(true);
  }
  expect(node.count()).toBe(1);
  // The last word is still under way.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(node.confirmedCount()).toBe(ranges.length);
});

test('an answer may come in any pieces', async () => {
  const wish = { offsetBytes: 600, sizeBytes: 5_000 };
  const node = await startFakeDataNode((socket) => {
    const answer = rightAnswer(wish);
    for (let at = 0; at < answer.length; at += 7) {
      socket.write(answer.subarray(at, at + 7));
    }
  });
  expect((await read(poolOf(), node, wish)).equals(sample.subarray(600, 5_600))).toBe(true);
});

test('a connection that the DataNode has closed meanwhile is replaced', async () => {
  const node = await startFakeDataNode((socket, wish, connection) => {
    socket.write(rightAnswer(wish), () => connection === 0 && socket.end());
  });
  const pool = poolOf();
  for (let count = 0; count < 2; count++) {
    expect((await read(pool, node, whole)).equals(sample)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(node.count()).toBe(2);
});

const some = sample.subarray(0, 1024);
const wrongBytes = Buffer.from(some);
wrongBytes[700] ^= 1;
const small = { offsetBytes: 0, sizeBytes: 1024 };
const cases: readonly (readonly [string, string, RegExp, readonly Buffer[]])[] = [
  [
    'a refusal',
    'unavailable',
    /ERROR: Replica not found/,
    [blockOpResponse.encodeDelimited({ status: 1, message: 'Replica not found\n\tat somewhere' })],
  ],
  [
    'a wrong byte',
    'corrupt',
    /offset 512 of the block/,
    [opening(0), packet({ data: wrongBytes, offsetInBlock: 0, checksums: checksumsOf(some) })],
  ],
  [
    'a wrong checksum of the last chunk',
    'corrupt',
    /offset 512 of the block/,
    [
      opening(0),
      packet({
        data: some,
        offsetInBlock: 0,
        checksums: Buffer.concat([checksumsOf(some).subarray(0, 4), Buffer.alloc(4)]),
      }),
    ],
  ],
  [
    'an end that comes early',
    'unavailable',
    /the answer ended 512 bytes early/,
    [opening(0), packet({ data: sample.subarray(0, 512), offsetInBlock: 0 }), end(512)],
  ],
  [
    'a packet of another place',
    'unsupported',
    /from offset 512/,
    [opening(0), packet({ data: some, offsetInBlock: 512 })],
  ],
  [
    'more than was asked for',
    'unsupported',
    /expected bytes from offset 1024 to 1024/,
    [
      opening(0),
      packet({ data: some, offsetInBlock: 0 }),
      packet({ data: some, offsetInBlock: 1024 }),
    ],
  ],
  [
    'packets of nothing',
    'unsupported',
    /found 0 bytes/,
    [opening(0), packet({ data: Buffer.alloc(0), offsetInBlock: 0 })],
  ],
  [
    'a packet of 2 GiB',
    'unsupported',
    /at most 16777216 bytes/,
    [opening(0), packet({ data: some, offsetInBlock: 0, lengthBytes: 2 ** 31 })],
  ],
  [
    'too few checksums',
    'unsupported',
    /do not fill the rest/,
    [opening(0), packet({ data: some, offsetInBlock: 0, checksums: Buffer.alloc(4) })],
  ],
  ['chunks of no bytes', 'unsupported', /chunks of 0 bytes/, [opening(0, 0)]],
  ['a beginning past what was asked for', 'unsupported', /begin at 512/, [opening(512)]],
  [
    'noise',
    'unsupported',
    /ReadOpChecksumInfoProto|BlockOpResponseProto|no message of Hadoop/,
    [Buffer.alloc(200, 0xff)],
  ],
];
test.each(cases)('%s is %s', async (_, code, words, answer) => {
  const node = await startFakeDataNode((socket) => socket.write(Buffer.concat(answer)));
  const error = await errorOf(read(poolOf(), node, small));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
  expect(error.message).toContain(`read /a at ${node.hostPort}`);
});

test.each([
  ['before it answers', []],
  ['after the opening', [opening(0)]],
  ['amid a packet', [opening(0), packet({ data: some, offsetInBlock: 0 }).subarray(0, 500)]],
  ['before the end', [opening(0), packet({ data: some, offsetInBlock: 0 })]],
])('a DataNode that falls silent %s is given up', async (_, pieces) => {
  const node = await startFakeDataNode((socket) => socket.write(Buffer.concat(pieces)));
  const error = await errorOf(read(poolOf(), node, small, { idleTimeoutMs: 300 }));
  expect(error.code).toBe('unavailable');
  expect(error.message).toMatch(/did not come within \d+ ms/);
});

test('an abort ends a read at once', async () => {
  const abort = new AbortController();
  const node = await startFakeDataNode(() => {
    abort.abort();
  });
  const error = await errorOf(read(poolOf(), node, small, { signal: abort.signal }));
  expect(error.code).toBe('cancelled');
});
