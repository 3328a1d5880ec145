// A block as a worker thread writes it, here in the test's own thread.

import fc from 'fast-check';
import { ParsError } from '../../../../introspect/pars-error.js';
import {
  type BlockSinkFailure,
  blockSinkPlan,
  type BlockSinkSettings,
  openSink,
} from '../../../../src/store/hdfs/transfer/block-sink.js';
import { packetDataBytes } from '../../../../src/store/hdfs/transfer/packet.js';
import { maxRoomBytes, type Sink } from '../../../../src/store/threads/sink.js';
import { startFakePeer } from '../fake-peer.js';
import { blockOn } from '../located.js';
import { ack, startFakeDataNode } from './fake-data-node.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

function settingsOf(ports: readonly number[]): BlockSinkSettings {
  return {
    block: blockOn(ports),
    blockSizeBytes: 64 * 2 ** 20,
    clientName: 'tester',
    doing: 'write /a',
    setupTimeoutMs: 10_000,
    ackTimeoutMs: 10_000,
    probeTimeoutMs: 3_000,
    connector: {
      connectTimeoutMs: 10_000,
      dataNodes: new Map(),
      usesHostnames: false,
      protections: undefined,
      isProven: false,
      encryptionKey: undefined,
    },
  };
}

function open(settings: BlockSinkSettings, signal = new AbortController().signal): Sink {
  // As it comes out in the other thread.
  const sink = openSink(structuredClone(blockSinkPlan(settings).settings), signal);
  closing.push(() => {
    sink.close();
  });
  return sink;
}

const sample = Buffer.alloc(12 * packetDataBytes);
for (let at = 0; at < sample.length; at++) {
  sample[at] = at * 7 + (at >>> 9);
}

/** Puts the beginning of the sample into it, in pieces; of the room asked for, only a part is taken. */
async function fill(sink: Sink, piecesBytes: readonly number[], askedBytes = 0): Promise<number> {
  let at = 0;
  for (const sizeBytes of piecesBytes) {
    const room = await sink.room(Math.max(askedBytes, sizeBytes));
    room.fill(0xa5);
    sample.copy(room, 0, at, at + sizeBytes);
    await sink.took(sizeBytes);
    at += sizeBytes;
  }
  await sink.finish();
  return at;
}

async function failureOf(work: Promise<unknown>): Promise<ParsError> {
  const error = await work.then(
    () => 'success',
    (reason: unknown) => reason,
  );
  if (error instanceof ParsError) {
    return error;
  }
  throw new Error(`expected a ParsError, found ${String(error)}`);
}

test('pieces of any size arrive as they were, in packets of whole chunks', async () => {
  const pieces = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: maxRoomBytes })),
    { minLength: 1, maxLength: 16 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), async (piecesBytes, isRoomy) => {
      const node = await startFakeDataNode({});
      try {
        const sink = open(settingsOf([node.port, 2, 3]));
        const sizeBytes = await fill(sink, piecesBytes, isRoomy ? maxRoomBytes : 0);
        expect(node.bytes().equals(sample.subarray(0, sizeBytes))).toBe(true);
        const sizes = node.packetSizes();
        expect(sizes.slice(0, -1).filter((bytes) => bytes % 512 !== 0)).toEqual([]);
      } finally {
        await node.close();
      }
    }),
    { numRuns: 20 },
  );
});

test('a DataNode that does not take a packet is named', async () => {
  const node = await startFakeDataNode({
    onPacket: (socket, { sequence }) => socket.write(ack(sequence, 0, 0, 1)),
  });
  closing.push(() => node.close());
  const sink = open(settingsOf([node.port, 2, 3]));
  const error = await failureOf(fill(sink, Array<number>(20).fill(maxRoomBytes)));
  expect(error.code).toBe('unavailable');
  expect(sink.detailOf(error)).toEqual<BlockSinkFailure>({
    blamed: ['127.0.0.1:3'],
    isKeyUnknown: false,
  });
});

test('a DataNode that nobody answers for is named', async () => {
  const gone = await startFakePeer(() => undefined);
  await gone.close();
  const sink = open(settingsOf([gone.port]));
  const error = await failureOf(fill(sink, [1_000]));
  expect(error.code).toBe('unavailable');
  expect(sink.detailOf(error)).toMatchObject({ blamed: [`127.0.0.1:${gone.port}`] });
});

test('an abort ends a wait for room, and names nobody', async () => {
  const node = await startFakeDataNode({ onPacket: () => undefined });
  closing.push(() => node.close());
  const abort = new AbortController();
  const sink = open(settingsOf([node.port]), abort.signal);
  setTimeout(() => {
    abort.abort();
  }, 50);
  const error = await failureOf(fill(sink, Array<number>(23).fill(packetDataBytes / 2)));
  expect(error.code).toBe('cancelled');
  expect(sink.detailOf(error)).toMatchObject({ blamed: undefined });
});

test('more than a block takes is refused', async () => {
  const node = await startFakeDataNode({});
  closing.push(() => node.close());
  const sink = open({ ...settingsOf([node.port]), blockSizeBytes: 1024 });
  const error = await failureOf(fill(sink, [1_000, 25]));
  expect(error.code).toBe('usage');
  expect(sink.detailOf(error)).toMatchObject({ blamed: undefined });
});
