import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { packetDataBytes, PacketMemory } from '../../../../src/store/hdfs/transfer/packet.js';
import { PacketSource } from '../../../../src/store/hdfs/transfer/packet-source.js';

/** The data of each packet, by what stands at the end of its bytes. */
async function dataOf(source: PacketSource): Promise<readonly Buffer[]> {
  const found: Buffer[] = [];
  for (let packet = await source.next(); packet !== undefined; packet = await source.next()) {
    const sealed = packet.seal(0, 0);
    found.push(Buffer.from(sealed.subarray(sealed.length - packet.dataBytes)));
    source.giveBack(packet);
  }
  return found;
}

test('chunks of any size come as full packets and a rest, whatever becomes of their memory', async () => {
  const chunkBytes = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: packetDataBytes - 2, max: packetDataBytes + 2 }),
    ),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(chunkBytes, async (sizesBytes) => {
      const all = Buffer.alloc(sizesBytes.reduce((sum, bytes) => sum + bytes, 0));
      for (let at = 0; at < all.length; at++) {
        all[at] = at * 7 + (at >>> 9);
      }
      const memory = Buffer.alloc(packetDataBytes + 2);
      async function* content(): AsyncGenerator<Uint8Array> {
        let at = 0;
        for (const sizeBytes of sizesBytes) {
          await Promise.resolve();
          memory.fill(0xa5);
          all.copy(memory, 0, at, at + sizeBytes);
          at += sizeBytes;
          yield memory.subarray(0, sizeBytes);
        }
        memory.fill(0xa5);
      }
      const source = new PacketSource(content(), new PacketMemory());
      expect(await source.hasBytes()).toBe(all.length > 0);
      const packets = await dataOf(source);
      await source.close();
      expect(packets.slice(0, -1).every(({ length }) => length === packetDataBytes)).toBe(true);
      expect(Buffer.concat(packets).equals(all)).toBe(true);
      expect(packets).toHaveLength(Math.ceil(all.length / packetDataBytes));
    }),
    { numRuns: 30 },
  );
});

test('content is asked for four packets ahead, and no further', async () => {
  let askedCount = 0;
  function* content(): Generator<Uint8Array> {
    for (;;) {
      askedCount++;
      yield new Uint8Array(packetDataBytes);
    }
  }
  const source = new PacketSource(asAsync(content()), new PacketMemory());
  await delay(20);
  expect(askedCount).toBe(5);
  const packet = await source.next();
  await delay(20);
  expect(askedCount).toBe(5);
  if (packet !== undefined) {
    source.giveBack(packet);
  }
  await delay(20);
  expect(askedCount).toBe(6);
  await source.close();
});

test('its end waits for the end of the content', async () => {
  let isOver = false;
  async function* slow(): AsyncGenerator<Uint8Array> {
    try {
      yield new Uint8Array(10);
      await delay(50);
      yield new Uint8Array(10);
    } finally {
      isOver = true;
    }
  }
  const source = new PacketSource(slow(), new PacketMemory());
  expect(await source.hasBytes()).toBe(true);
  await source.close();
  expect(isOver).toBe(true);
});

test('what the content throws comes after the packets before it', async () => {
  const failure = new Error('the guest went away');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(packetDataBytes);
    await Promise.resolve();
    throw failure;
  }
  const source = new PacketSource(failing(), new PacketMemory());
  expect((await source.next())?.dataBytes).toBe(packetDataBytes);
  await expect(source.next()).rejects.toBe(failure);
  await source.close();
});

async function* asAsync<T>(values: Iterable<T>): AsyncGenerator<T> {
  for (const value of values) {
    await Promise.resolve();
    yield value;
  }
}
