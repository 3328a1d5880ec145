// Wrong bytes in a manifest or its body, on local disks: never half a snapshot, never a crash, and never the loss of another
// snapshot. The disks' own checksums are made to fit, so each has only its own to defend itself.

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyName, manifestName } from '../../src/catalog/names.js';
import { bodyHeadBytes } from '../../src/manifest/body/layout.js';
import { headField, headSizeBytes } from '../../src/manifest/layout.js';
import { errorAnswer, listAnswer, uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { flipStoredBit, LocalStoreFolder } from './local-store-folder.js';
import { expectPars, runPars } from './pars-command.js';
import { makeRandomImage } from './random-image.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const corrupt = 10;
const noKernel = 20;

let folder: TemporaryFolder;
let store: LocalStoreFolder;
let image: string;
let damagedId: string;
let otherId: string;
let manifestSizeBytes: number;
const pars = (...args: readonly string[]) => runPars([...args, '--json'], { storeUrl: store.url });

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  image = join(folder.path, 'noise');
  makeRandomImage(image, 2);
  const whole = new LocalStoreFolder(join(folder.path, 'whole'));
  const ids: string[] = [];
  for (const name of ['damaged', 'other']) {
    const outcome = await expectPars(noKernel, ['upload', image, '--name', name, '--json'], {
      storeUrl: whole.url,
    });
    ids.push(uploadAnswer.parse(outcome.json).id);
  }
  [damagedId, otherId] = ids;
  manifestSizeBytes = readFileSync(whole.copiesOf(manifestName(damagedId))[0]).length;
});

beforeEach(() => {
  store = new LocalStoreFolder(join(folder.path, 'store'));
  cpSync(join(folder.path, 'whole'), store.path, { recursive: true, preserveTimestamps: true });
});

afterEach(() => {
  rmSync(store.path, { recursive: true, force: true });
});

afterAll(() => folder.remove());

describe.each([
  { where: 'the magic', at: () => 3, isListed: false, says: 'PARSMANI' },
  {
    where: 'the size of the header',
    at: () => headField.headerSize + 2,
    isListed: false,
    says: /header|bytes/,
  },
  { where: 'the header', at: () => headSizeBytes + 20, isListed: false, says: 'CRC32C' },
  { where: 'the details', at: () => manifestSizeBytes - 60, isListed: false, says: 'CRC32C' },
  { where: 'the hash', at: () => manifestSizeBytes - 5, isListed: true, says: 'SHA-256' },
  { where: "the body's head", at: () => 20, isListed: true, says: 'SHA-256', file: bodyName },
  {
    where: "the body's record",
    at: () => bodyHeadBytes + 10,
    isListed: true,
    says: 'SHA-256',
    file: bodyName,
  },
])('with a bit of $where flipped in every copy of a manifest', (damage) => {
  const { at, isListed, says, file = manifestName } = damage;
  beforeEach(() => {
    const copies = store.copiesOf(file(damagedId));
    expect(copies).toHaveLength(3);
    copies.forEach((copy) => {
      flipStoredBit(copy, at());
    });
  });

  test('show, restore and verify refuse it and say what is wrong', async () => {
    const out = join(folder.path, 'out');
    for (const command of [
      ['show', damagedId],
      ['restore', damagedId, '--out', out],
      ['restore', damagedId, '--out', out, '--allow-lost'],
      ['verify', damagedId],
    ]) {
      const outcome = await pars(...command);
      expect({ command, exitCode: outcome.exitCode }).toEqual({ command, exitCode: corrupt });
      const { error } = errorAnswer.parse(outcome.json);
      expect(error.code).toBe('corrupt');
      expect(error.message).toMatch(says);
    }
    expect(existsSync(out)).toBe(false);
  });

  test('list names what it cannot read and hides nothing else', async () => {
    const outcome = await pars('list');
    const ids = listAnswer.parse(outcome.json).map(({ id }) => id);
    // Only the header is read, which has a checksum of its own.
    expect(outcome.exitCode).toBe(isListed ? 0 : corrupt);
    expect(ids).toEqual(isListed ? [damagedId, otherId] : [otherId]);
    if (!isListed) {
      expect(outcome.stderr).toContain(damagedId);
    }
  });

  test('the other snapshot still comes back whole', async () => {
    const out = join(folder.path, 'other');
    await expectPars(0, ['restore', otherId, '--out', out], { storeUrl: store.url });
    expect(await sha256Of(join(out, 'ram'))).toBe(await sha256Of(image));
    rmSync(out, { recursive: true });
  });
});

test('nothing is deleted as long as a manifest cannot be read: it may name the same files', async () => {
  store.copiesOf(manifestName(damagedId)).forEach((copy) => {
    flipStoredBit(copy, headSizeBytes + 20);
  });
  const before = store.dataFiles();
  const outcome = await pars('delete', otherId);
  expect(outcome.exitCode).toBe(corrupt);
  const { error } = errorAnswer.parse(outcome.json);
  expect(error.message).toContain('nothing was deleted');
  expect(error.message).toContain(damagedId);
  expect(store.dataFiles()).toEqual(before);
});

test('wrong bytes in all copies but one cost nothing', async () => {
  const [, ...others] = store.copiesOf(manifestName(damagedId));
  for (const copy of others) {
    const bytes = readFileSync(copy);
    bytes[headSizeBytes + 20] ^= 1;
    writeFileSync(copy, bytes);
  }
  await expectPars(0, ['verify', damagedId, '--read-data'], { storeUrl: store.url });
});

test('a snapshot whose manifest is damaged can be deleted itself, with the files it wrote, and frees the others', async () => {
  store.copiesOf(manifestName(damagedId)).forEach((copy) => {
    flipStoredBit(copy, headSizeBytes + 20);
  });
  await expectPars(0, ['delete', damagedId], { storeUrl: store.url });
  await expectPars(0, ['verify', otherId, '--read-data'], { storeUrl: store.url });
  await expectPars(0, ['delete', otherId], { storeUrl: store.url });
  expect(store.dataFiles()).toEqual([]);
});
