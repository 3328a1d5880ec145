// Files in folders of others: taken as they are, but never by a link to somebody else's.
import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { adoptFile, factsOf } from '../../src/hook/take/adopt-file.js';
import { openGivenFile } from '../../src/host/given-file.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { makeFolderOfOther, otherUser, testAsRoot } from './other-user.js';

let folder: TemporaryFolder;
let secret: string;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
  secret = join(folder.path, 'secret');
  writeFileSync(secret, 'of root', { mode: 0o600 });
});
afterEach(() => folder.remove());

const use = { what: 'the file', remedy: 'put a copy there' };

testAsRoot("a file of another user's folder is read, as he has put it there", () => {
  const his = makeFolderOfOther(join(folder.path, 'his'));
  writeFileSync(join(his, 'web.ram'), 'ram');
  const fd = openGivenFile(join(his, 'web.ram'), use);
  expect(readFileSync(fd, 'utf8')).toBe('ram');
  closeSync(fd);
});

testAsRoot('a link that took the place of a file, or of its folder, is not followed', async () => {
  const his = makeFolderOfOther(join(folder.path, 'his'));
  symlinkSync(secret, join(his, 'web.ram'));
  symlinkSync(folder.path, join(his, 'web'));
  const facts = await factsOf(secret);
  const target = join(folder.path, 'adopted');
  for (const name of ['web.ram', 'web/secret']) {
    lchownSync(join(his, name.split('/')[0]), otherUser, otherUser);
    for (const link of [true, false]) {
      const adoption = { link, facts, isForeign: true, signal: new AbortController().signal };
      await expect(adoptFile(join(his, name), target, adoption)).rejects.toMatchObject({
        code: 'permission-denied',
      });
    }
  }
});

testAsRoot('a second name of a file, which who made it may not read, is refused', () => {
  const his = makeFolderOfOther(join(folder.path, 'his'));
  linkSync(secret, join(his, 'web.ram'));
  expect(() => openGivenFile(join(his, 'web.ram'), use)).toThrow(/one of 2 names/);
  const shared = join(folder.path, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  linkSync(secret, join(shared, 'web.ram'));
  expect(() => openGivenFile(join(shared, 'web.ram'), use)).toThrow(/one of 3 names/);
});

test('a file named by who calls may be a link, and one of two names', async () => {
  const name = join(folder.path, 'link.ram');
  symlinkSync('secret', name);
  const target = join(folder.path, 'adopted');
  const signal = new AbortController().signal;
  await adoptFile(name, target, { link: true, facts: await factsOf(name), signal });
  const again = join(folder.path, 'copied');
  await adoptFile(name, again, { link: false, facts: await factsOf(name), signal });
  expect(readFileSync(again, 'utf8')).toBe('of root');
});
