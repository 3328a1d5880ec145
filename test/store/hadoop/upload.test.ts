import { setTimeout as delay } from 'node:timers/promises';
import { watched } from '../../../src/store/hadoop/upload.js';

test('content that is opened again begins after it has ended before', async () => {
  const events: string[] = [];
  let callCount = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    const call = ++callCount;
    events.push(`begun ${call}`);
    try {
      yield new Uint8Array(1);
      await delay(30);
      yield new Uint8Array(1);
    } finally {
      events.push(`ended ${call}`);
    }
  }
  const { open } = watched(content);
  const first = open();
  await first.next();
  // Given up while a chunk is being made.
  const pending = first.next();
  const ending = first.return(undefined);
  const second = open();
  await second.next();
  await Promise.all([pending, ending]);
  await second.return(undefined);
  expect(events).toEqual(['begun 1', 'ended 1', 'begun 2', 'ended 2']);
});

test('its own failure is told from others', async () => {
  const failure = new Error('the guest went away');
  async function* failing(): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield new Uint8Array(1);
    throw failure;
  }
  const source = watched(failing);
  const chunks = source.open();
  await chunks.next();
  expect(source.hasFailed()).toBe(false);
  await expect(chunks.next()).rejects.toBe(failure);
  expect(source.hasFailed()).toBe(true);
});
