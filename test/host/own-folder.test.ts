// Whose folders are taken for our own, and what another user can do about it: nothing that is not said.
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expectOwnFolder, makeOwnFolder, makeOwnFolderIn } from '../../src/host/own-folder.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { makeFolderOfOther, otherUser, testAsRoot } from './other-user.js';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

const use = { what: 'the scratch folder', remedy: 'name another with --scratch DIR' };
const refused = (message: RegExp) =>
  expect.objectContaining({
    code: 'permission-denied',
    message: expect.stringMatching(message) as string,
  }) as Error;
const at = (...names: readonly string[]): string => join(folder.path, ...names);

test('what is missing is made for this user alone, whatever the umask', () => {
  const umask = process.umask(0);
  try {
    expect(makeOwnFolder(at('one', 'two'), use)).toBe(at('one', 'two'));
  } finally {
    process.umask(umask);
  }
  expect(statSync(at('one')).mode & 0o7777).toBe(0o700);
  expect(statSync(at('one', 'two')).mode & 0o7777).toBe(0o700);
});

testAsRoot('a folder that another user made first is refused by his name, with what to do', () => {
  const path = makeFolderOfOther(at('pars'), 0o700);
  expect(() => makeOwnFolder(path, use)).toThrow(
    refused(/^the scratch folder .*pars belongs to \S+ \(65534\).* --scratch DIR$/),
  );
});

testAsRoot('nothing is made below a folder of another user', () => {
  const path = makeFolderOfOther(at('his'));
  mkdirSync(join(path, 'ours'));
  for (const inside of [join(path, 'ours'), join(path, 'new')]) {
    expect(() => makeOwnFolder(inside, use)).toThrow(refused(/his, on the way to .* belongs to/));
  }
  expect(readdirSync(path)).toEqual(['ours']);
});

test('a folder that others may write to is refused, with the sticky bit too', () => {
  for (const mode of [0o777, 0o1777, 0o757]) {
    chmodSync(folder.path, mode);
    expect(() => {
      expectOwnFolder(folder.path, use);
    }).toThrow(refused(/may be written to by others .*chmod go-w/));
  }
});

test('on the way, a folder for everybody needs the sticky bit', () => {
  chmodSync(folder.path, 0o1777);
  expect(makeOwnFolder(at('ours'), use)).toBe(at('ours'));
  chmodSync(folder.path, 0o777);
  expect(() => makeOwnFolder(at('ours'), use)).toThrow(refused(/on the way to .* written to by/));
});

testAsRoot("a group that others are in is others; the owner's own group is not", () => {
  chmodSync(folder.path, 0o770);
  chownSync(folder.path, 0, otherUser);
  expect(() => {
    expectOwnFolder(folder.path, use);
  }).toThrow(refused(/written to by others/));
  chownSync(folder.path, 0, 0);
  expectOwnFolder(folder.path, use);
});

test('a link of ours where nobody else can make one is followed', () => {
  mkdirSync(at('real'));
  symlinkSync('real/../real', at('link'));
  expect(makeOwnFolder(at('link', 'new'), use)).toBe(at('real', 'new'));
  symlinkSync(at('nowhere'), at('dangling'));
  expect(makeOwnFolder(at('dangling'), use)).toBe(at('nowhere'));
});

testAsRoot('a link that another user made, or could have made, is not followed', () => {
  mkdirSync(at('real'));
  symlinkSync('real', at('his'));
  lchownSync(at('his'), otherUser, otherUser);
  symlinkSync('real', at('ours'));
  expect(() => makeOwnFolder(at('his', 'new'), use)).toThrow(refused(/symbolic link/));
  chmodSync(folder.path, 0o1777);
  expect(() => makeOwnFolder(at('ours', 'new'), use)).toThrow(refused(/symbolic link/));
  expect(readdirSync(at('real'))).toEqual([]);
});

test('a file in place of a folder, and links without end, are told', () => {
  writeFileSync(at('file'), '');
  symlinkSync('loop', at('loop'));
  expect(() => makeOwnFolder(at('file', 'x'), use)).toThrow(/to be a folder/);
  expect(() => makeOwnFolder(at('file'), use)).toThrow(/expected a folder/);
  expect(() => makeOwnFolder(at('loop'), use)).toThrow(/more than 40 links/);
});

test('in a folder for everybody, the plain name is ours where it is free', () => {
  chmodSync(folder.path, 0o1777);
  expect(makeOwnFolderIn(folder.path, 'pars', use)).toEqual({ path: at('pars') });
  expect(makeOwnFolderIn(folder.path, 'pars', use)).toEqual({ path: at('pars') });
  expect(statSync(at('pars')).mode & 0o7777).toBe(0o700);
});

testAsRoot('where another user has the plain name, it is another one, and the same again', () => {
  chmodSync(folder.path, 0o1777);
  mkdirSync(at('target'));
  symlinkSync('target', at('pars'));
  lchownSync(at('pars'), otherUser, otherUser);
  makeFolderOfOther(at('pars-his'));
  symlinkSync('target', at('pars-link'));
  const first = makeOwnFolderIn(folder.path, 'pars', use);
  expect(first.takenBy).toMatch(/\(65534\)$/);
  expect(first.path).toMatch(/\/pars-[A-Za-z0-9]{6}$/);
  expect(statSync(first.path).mode & 0o7777).toBe(0o700);
  expect(makeOwnFolderIn(folder.path, 'pars', use)).toEqual(first);
  expect(existsSync(join(at('target'), 'locks'))).toBe(false);
  // Free again: who has a lock in the first is not passed by.
  rmSync(at('pars'));
  expect(makeOwnFolderIn(folder.path, 'pars', use)).toEqual({ path: first.path });
});
