// What the files of a spool say, when they say what cannot be: the entry is one that cannot be read, and nothing ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { attemptsFile, readAttempts } from '../../src/spool/attempts.js';
import { capturedFile, readCaptured } from '../../src/spool/captured.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pars-spool-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const captured = {
  version: 1,
  vm: 'web',
  createdMs: 1_700_000_000_000,
  source: 'qmp',
  image: { file: 'image' },
  disks: [],
};
const disk = { name: 'vda', file: 'vda.img', sourcePath: '/vms/web', sourceFormat: 'raw' };

test('what is in order is read', async () => {
  writeFileSync(path.join(folder, capturedFile), JSON.stringify({ ...captured, disks: [disk] }));
  expect(await readCaptured(folder)).toEqual({ ...captured, disks: [disk] });
});

test.each<[string, object]>([
  ['a moment that no calendar has', { createdMs: 8.65e15 }],
  ['the folder above as the image', { image: { file: '..' } }],
  ['the folder itself as the state', { state: '.' }],
  ['the folder above as a disk', { disks: [{ ...disk, file: '..' }] }],
  ['more disks than a snapshot has', { disks: Array.from({ length: 256 }, () => disk) }],
  ['disks that are nothing', { disks: Array.from({ length: 200_000 }, () => null) }],
  ['a name without end', { vm: 'x'.repeat(100_000) }],
  ['more than such a file holds', { way: 'x'.repeat(5 * 2 ** 20) }],
])('captured.json with %s is refused', async (_, change) => {
  writeFileSync(path.join(folder, capturedFile), JSON.stringify({ ...captured, ...change }));
  await expect(readCaptured(folder)).rejects.toMatchObject({ code: 'image-invalid' });
});

test.each([
  { nextMs: 1e300 },
  { nextMs: -1 },
  { count: 2 ** 50 },
  { lastMs: 9e15 },
  { lastError: { message: 'x'.repeat(2 ** 21) } },
])('attempts.json with such a number says that nobody knows', async (change) => {
  const attempts = { version: 1, count: 3, nextMs: 5, state: 'waiting' };
  writeFileSync(path.join(folder, attemptsFile), JSON.stringify({ ...attempts, ...change }));
  expect(await readAttempts(folder)).toEqual({ version: 1, count: 1, nextMs: 0, state: 'waiting' });
});
