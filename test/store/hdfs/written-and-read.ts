// Bytes that go to HDFS and come back, where what lies between is what is tested.

import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';
import { contentInThread } from './content-in-thread.js';

/** More than a packet, and no whole number of anything. */
export const oddContent = Buffer.from(
  Array.from({ length: 2_500_001 }, (_, i) => (i * 31 + (i >>> 8)) & 0xff),
);

const blockSizeBytes = 16 * 1024 * 1024;

/**
 * Writes `oddContent` as one block in so many copies, and reads all of it, and a part; then the same again, sent as a thread sends
 * it, to `NAME.thread`, and read without checksums.
 */
export async function expectWrittenAndRead(
  store: Store,
  name: string,
  count: number,
): Promise<void> {
  await store.write(name, () => [oddContent], { redundancy: copies(count), blockSizeBytes });
  const found = await store.read(name, 0, oddContent.length);
  expect(Buffer.compare(found, oddContent)).toBe(0);
  const part = await store.read(name, 1_000_001, 70_000);
  expect(Buffer.compare(part, oddContent.subarray(1_000_001, 1_070_001))).toBe(0);

  const options = { redundancy: copies(count), blockSizeBytes, nameTells: 'nothing' } as const;
  await store.write(`${name}.thread`, contentInThread(oddContent, 70_001), options);
  const again = await store.read(`${name}.thread`, 1, oddContent.length - 1, {
    isCheckedByReader: true,
  });
  expect(Buffer.compare(again, oddContent.subarray(1))).toBe(0);
}
