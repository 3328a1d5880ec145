// Files that a command writes: whole or not at all, in place of what was there, and never in place of a device.
import {
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { writeOutput } from '../../../src/cli/shared/write-output.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';
import { makeFolderOfOther, otherUser, testAsRoot } from '../../host/other-user.js';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(() => folder.remove());

const pieces = [Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')];

function codeOf(write: () => void): string {
  try {
    write();
  } catch (error) {
    return error instanceof ParsError ? error.code : 'other';
  }
  return 'none';
}

test('the pieces stand in the file one after the other, and nothing beside it', () => {
  writeOutput(join(folder.path, 'out'), pieces, 'the labels');
  expect(readFileSync(join(folder.path, 'out'), 'latin1')).toBe('abc');
  expect(readdirSync(folder.path)).toEqual(['out']);
});

test('a file that is there is replaced, with its mode, through a link too', () => {
  const path = join(folder.path, 'out');
  const link = join(folder.path, 'link');
  writeFileSync(path, 'something longer', { mode: 0o640 });
  symlinkSync(path, link);
  writeOutput(link, pieces, 'the labels');
  expect(readFileSync(path, 'latin1')).toBe('abc');
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test('a device stays one: it is written to, not replaced', () => {
  writeOutput('/dev/null', pieces, 'the labels');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('a full disk, a missing folder and a folder in its place are told apart', () => {
  mkdirSync(join(folder.path, 'taken'));
  const codes = ['/dev/full', join(folder.path, 'none', 'out'), join(folder.path, 'taken')].map(
    (path) =>
      codeOf(() => {
        writeOutput(path, pieces, 'the labels');
      }),
  );
  expect(codes).toEqual(['no-space', 'not-found', 'usage']);
  expect(() => {
    writeOutput('/dev/full', pieces, 'the labels');
  }).toThrow(/^cannot write the labels to \/dev\/full: ENOSPC/);
});

testAsRoot('a link that another user made is not written through', () => {
  const victim = join(folder.path, 'victim');
  writeFileSync(victim, 'of root');
  const his = join(makeFolderOfOther(join(folder.path, 'his')), 'labels.npy');
  symlinkSync(victim, his);
  lchownSync(his, otherUser, otherUser);
  expect(() => {
    writeOutput(his, [Buffer.from('new')], 'the labels');
  }).toThrow(/symbolic link/);
  expect(readFileSync(victim, 'utf8')).toBe('of root');
});
