import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { receiveStream } from '../../../../src/vm/capture/guard/receive-stream.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../e2e/temporary-folder.js';
import { canMount, mountTinyDisk } from '../../../e2e/tiny-disk.js';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

const pathOf = (name: string): string => join(folder.path, name);
const piece = Buffer.alloc(2 ** 20, 'x');

/** As QEMU does: ends well only when all of it was taken. */
async function send(uri: string, pieceCount: number): Promise<void> {
  const pieces = Array.from({ length: pieceCount }, () => piece);
  await pipeline(Readable.from(pieces), connect(uri.slice('unix:'.length)));
}

test('all that QEMU sends is in the file when it has ended', async () => {
  const receiver = await receiveStream(pathOf('s'), pathOf('stream'));
  await send(receiver.uri, 3);
  expect(await receiver.ended).toBeUndefined();
  expect(readFileSync(pathOf('stream'))).toEqual(Buffer.concat([piece, piece, piece]));
});

test('without a file the stream is read all the same', async () => {
  const receiver = await receiveStream(pathOf('s'), undefined);
  await send(receiver.uri, 3);
  expect(await receiver.ended).toBeUndefined();
});

(canMount ? test : test.skip)(
  'when the file system is full the stream is read to its end, and that is said then',
  async () => {
    const unmount = mountTinyDisk(pathOf('tiny'), 2);
    try {
      const receiver = await receiveStream(pathOf('s'), join(pathOf('tiny'), 'stream'));
      // More than any buffer in between holds: it would stand still if it were not read.
      await send(receiver.uri, 20);
      expect(await receiver.ended).toMatchObject({ code: 'no-space' });
    } finally {
      unmount();
    }
  },
);

test('a path that is too long for a socket is refused before anything is made', async () => {
  const path = pathOf('x'.repeat(108));
  await expect(receiveStream(path, pathOf('stream'))).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('too long for a socket') as string,
  });
  expect(existsSync(pathOf('stream'))).toBe(false);
});

test('a file that is there is not written over', async () => {
  const first = await receiveStream(pathOf('s'), pathOf('stream'));
  await expect(receiveStream(pathOf('t'), pathOf('stream'))).rejects.toThrow(/cannot create/);
  first.close();
});
