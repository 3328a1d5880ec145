// What was captured names its moment, by which a full spool drops entries: a flipped bit makes it unreadable, not older.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Captured,
  capturedFile,
  readCaptured,
  writeCaptured,
} from '../../src/spool/captured.js';

const captured: Captured = {
  version: 1,
  vm: 'web',
  identity: { uuid: '0f3c9d2e-5b7a-4e21-9a4d-6c1f2b3a4d5e', host: 'host1' },
  createdMs: 1_767_225_600_000,
  source: 'qmp',
  image: { file: 'ram' },
  disks: [{ name: 'vda', file: 'vda.img', sourcePath: '/vm/vda.qcow2', sourceFormat: 'qcow2' }],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pars-captured-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('no flipped bit of it makes another snapshot of it', async () => {
  await writeCaptured(folder, captured);
  const path = join(folder, capturedFile);
  const bytes = await readFile(path);
  let refusedCount = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    await writeFile(path, flipped);
    const read = await readCaptured(folder).catch(() => undefined);
    if (read === undefined) {
      refusedCount++;
    } else {
      expect(read).toEqual(captured);
    }
  }
  expect(refusedCount).toBeGreaterThan(bytes.length * 6);
});

test('one without a checksum is read as before', async () => {
  await writeFile(join(folder, capturedFile), JSON.stringify(captured));
  expect(await readCaptured(folder)).toEqual(captured);
});

test.each([5, null, 'x'.repeat(1000), ['01234567']])(
  'a checksum that is none is refused: %j',
  async (checksum) => {
    await writeFile(join(folder, capturedFile), JSON.stringify({ ...captured, checksum }));
    await expect(readCaptured(folder)).rejects.toMatchObject({ code: 'image-invalid' });
  },
);

test('what could not be read back is not written', async () => {
  await expect(writeCaptured(folder, { ...captured, vm: 'x'.repeat(5000) })).rejects.toMatchObject({
    code: 'image-invalid',
  });
});
