// A pipeline whose first DataNode is told by the test what to do at which packet. With real ones: hdfs-store.test.ts.

import { setTimeout as delay } from 'node:timers/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import { chunksUntilAborted } from '../../../../src/store/abort.js';
import { blockOpResponse } from '../../../../src/store/hdfs/proto/datatransfer.js';
import type { LocatedBlock } from '../../../../src/store/hdfs/proto/hdfs.js';
import { packetDataBytes, PacketMemory } from '../../../../src/store/hdfs/transfer/packet.js';
import { PacketSource } from '../../../../src/store/hdfs/transfer/packet-source.js';
import {
  type BlockWriterOptions,
  PipelineFailure,
} from '../../../../src/store/hdfs/transfer/pipeline.js';
import { writeBlock as writePackets } from '../../../../src/store/hdfs/transfer/write-block.js';
import { startFakePeer } from '../fake-peer.js';
import { blockOn, plainConnector } from '../located.js';
import {
  ack,
  type Behaviour,
  type FakeDataNode,
  startFakeDataNode as startNode,
} from './fake-data-node.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

async function startFakeDataNode(behaviour: Behaviour): Promise<FakeDataNode> {
  const node = await startNode(behaviour);
  closing.push(() => node.close());
  return node;
}

const memory = new PacketMemory();

async function writeBlock(
  block: LocatedBlock,
  content: AsyncIterable<Uint8Array>,
  wanted: BlockWriterOptions,
): Promise<number> {
  const packets = new PacketSource(content, memory);
  try {
    return await writePackets(block, packets, wanted);
  } finally {
    await packets.close();
  }
}

const options = {
  clientName: 'tester',
  doing: 'write /a',
  connector: plainConnector(10_000),
  setupTimeoutMs: 300,
  ackTimeoutMs: 300,
  probeTimeoutMs: 3_000,
  signal: undefined,
};
/** For what must not be taken for silence: both sides share one busy process. */
const patient = { ...options, setupTimeoutMs: 30_000, ackTimeoutMs: 30_000 };

const sample = Buffer.alloc(3 * packetDataBytes + 777);
for (let at = 0; at < sample.length; at++) {
  sample[at] = at * 7 + (at >>> 9);
}

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await Promise.resolve();
    yield bytes.subarray(at, at + pieceBytes);
  }
}

/** The failure of a write that must fail, and how long it took. */
async function failureOf(writing: Promise<number>): Promise<ParsError> {
  const error = await writing.then(
    () => 'success',
    (reason: unknown) => reason,
  );
  if (error instanceof ParsError) {
    return error;
  }
  throw new Error(`expected a ParsError, found ${String(error)}`);
}

const portsOf = (error: ParsError) =>
  error instanceof PipelineFailure ? error.nodes.map(({ id }) => id.xferPort) : 'not of a pipeline';

test.each([1_000, packetDataBytes - 1, packetDataBytes, sample.length])(
  'content in pieces of %i bytes arrives as it was, with its checksums',
  async (pieceBytes) => {
    const node = await startFakeDataNode({});
    const block = blockOn([node.port, 2, 3]);
    expect(await writeBlock(block, inPieces(sample, pieceBytes), patient)).toBe(sample.length);
    expect(node.bytes().equals(sample)).toBe(true);
    expect(node.request()).toMatchObject({
      pipelineSize: 3,
      targets: [{ id: { xferPort: 2 } }, { id: { xferPort: 3 } }],
      targetStorageIds: ['DS-2', 'DS-3'],
      header: { baseHeader: { block: { blockId: 2n ** 63n + 5n } } },
    });
  },
);

const refusals: readonly (readonly [string, Behaviour, number | 'first', RegExp])[] = [
  ['closes at once', { onSetup: (socket) => socket.destroy() }, 'first', /the connection failed/],
  [
    'does not take the block',
    {
      onSetup: (socket) =>
        socket.write(blockOpResponse.encodeDelimited({ status: 1, message: 'full' })),
    },
    'first',
    /does not take the block: ERROR: full/,
  ],
  [
    'cannot reach the second',
    {
      onSetup: (socket) =>
        socket.write(blockOpResponse.encodeDelimited({ status: 1, firstBadLink: '127.0.0.1:2' })),
    },
    2,
    /127.0.0.1:2 does not take the block/,
  ],
  [
    'says that the third failed',
    { onPacket: (socket, { sequence }) => socket.write(ack(sequence, 0, 0, 1)) },
    3,
    /127.0.0.1:3 did not take a packet: ERROR/,
  ],
  [
    'is restarting',
    { onPacket: (socket, { sequence }) => socket.write(ack(sequence, 8)) },
    'first',
    /OOB_RESTART/,
  ],
  [
    'acknowledges what was not sent',
    { onPacket: (socket) => socket.write(ack(99, 0, 0, 0)) },
    'first',
    /expected the ack of packet 0, found that of 99/,
  ],
  [
    'closes after the first packet',
    { onPacket: (socket) => socket.destroy() },
    'first',
    /the connection failed/,
  ],
  [
    'closes after the last packet',
    {
      onPacket: (socket, { sequence, isLast }) =>
        isLast ? socket.destroy() : socket.write(ack(sequence, 0, 0, 0)),
    },
    'first',
    /the connection failed/,
  ],
  [
    'sends noise',
    { onPacket: (socket) => socket.write(Buffer.alloc(100, 0xff)) },
    'first',
    /at most 65536 are possible/,
  ],
];
test.each(refusals)(
  'a first node that %s: the block is not written, and who is left out next',
  async (_, behaviour, port, words) => {
    const node = await startFakeDataNode(behaviour);
    const error = await failureOf(
      writeBlock(blockOn([node.port, 2, 3]), inPieces(sample, 100_000), patient),
    );
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(words);
    expect(portsOf(error)).toEqual([port === 'first' ? node.port : port]);
  },
);

const silences: readonly (readonly [string, Behaviour])[] = [
  ['to the operation', { onSetup: () => undefined, onPacket: () => undefined }],
  ['to the first packet', { onPacket: () => undefined }],
  [
    'to a packet amid the block',
    { onPacket: (socket, { sequence }) => sequence < 2 && socket.write(ack(sequence, 0, 0, 0)) },
  ],
  [
    'to the last packet',
    { onPacket: (socket, { sequence, isLast }) => !isLast && socket.write(ack(sequence, 0, 0, 0)) },
  ],
];
test.each(silences)(
  'silence %s ends after its time, and whoever gives no sign of life is left out',
  async (_, behaviour) => {
    const first = await startFakeDataNode(behaviour);
    const alive = await startFakeDataNode({});
    const mute = await startFakePeer(() => undefined);
    closing.push(() => mute.close());
    const block = blockOn([first.port, mute.port, alive.port]);
    const error = await failureOf(writeBlock(block, inPieces(sample, 100_000), options));
    expect(error.message).toMatch(/did not come within 30\d ms/);
    expect(portsOf(error)).toEqual([mute.port]);
  },
);

test('where all give a sign of life, the first is left out', async () => {
  const first = await startFakeDataNode({ onPacket: () => undefined });
  const second = await startFakeDataNode({});
  const block = blockOn([first.port, second.port]);
  const error = await failureOf(writeBlock(block, inPieces(sample, 100_000), options));
  expect(portsOf(error)).toEqual([first.port]);
});

test('a node that stops reading is given up', async () => {
  const node = await startFakePeer((socket) => {
    socket.write(blockOpResponse.encodeDelimited({ status: 0 }));
    socket.pause();
  });
  closing.push(() => node.close());
  const large = Buffer.alloc(32 * 2 ** 20);
  const error = await failureOf(
    writeBlock(blockOn([node.port]), inPieces(large, 2 ** 20), options),
  );
  expect(error.message).toContain('the ack of a packet did not come within 300 ms');
});

test('content that comes slowly is waited for', async () => {
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield sample.subarray(0, packetDataBytes + 1);
    await delay(1_000);
    yield sample.subarray(packetDataBytes + 1);
  }
  const node = await startFakeDataNode({});
  expect(await writeBlock(blockOn([node.port]), slow(), { ...patient, ackTimeoutMs: 900 })).toBe(
    sample.length,
  );
  expect(node.bytes().equals(sample)).toBe(true);
});

test('an abort ends it at once, also while content is awaited', async () => {
  const node = await startFakeDataNode({});
  const abort = new AbortController();
  async function* stalled(): AsyncGenerator<Uint8Array> {
    yield sample;
    setTimeout(() => {
      abort.abort();
    }, 50);
    await delay(60_000, undefined, { ref: false });
  }
  const content = chunksUntilAborted(stalled(), abort.signal, 'write /a');
  const writing = writeBlock(blockOn([node.port]), content, { ...patient, signal: abort.signal });
  expect((await failureOf(writing)).code).toBe('cancelled');
});

test('an error of the content is thrown as it is', async () => {
  const failure = new Error('the guest went away');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield sample;
    await Promise.resolve();
    throw failure;
  }
  const node = await startFakeDataNode({});
  await expect(writeBlock(blockOn([node.port]), failing(), patient)).rejects.toBe(failure);
});
