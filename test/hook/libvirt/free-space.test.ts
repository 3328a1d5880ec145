// Room is looked for before anything is done.
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expectFreeSpace } from '../../../src/hook/libvirt/free-space.js';

test('what fits alone may not fit together on one file system', async () => {
  const { bavail, bsize } = statfsSync(tmpdir());
  const need = { folder: tmpdir(), sizeBytes: Math.floor(bavail * bsize * 0.7) };
  await expectFreeSpace([need]);
  await expect(expectFreeSpace([need, need])).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringMatching(/^expected \d+ free bytes on the file system of /) as string,
  });
});

test('a folder that is not there is told', async () => {
  const need = { folder: '/no/such/folder', sizeBytes: 0 };
  await expect(expectFreeSpace([need])).rejects.toMatchObject({ code: 'not-found' });
});
