// What an earlier upload of a running VM left goes once there is a newer capture, and is never worth that one.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeOfSameVm } from '../../../src/snapshot/live/scratch.js';
import { type Captured, vmGroup, writeCaptured } from '../../../src/spool/captured.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../e2e/temporary-folder.js';

const captured: Captured = {
  version: 1,
  vm: 'web',
  createdMs: 1,
  source: 'qmp',
  image: { file: 'image' },
  disks: [],
};

let temporary: TemporaryFolder;
let folder: string;
let warnings: string[];
const warn = (sentence: string): void => {
  warnings.push(sentence);
};
beforeEach(async () => {
  temporary = await makeTemporaryFolder();
  folder = join(temporary.path, 'web.storing');
  mkdirSync(folder);
  await writeCaptured(folder, captured);
  warnings = [];
});
afterEach(() => temporary.remove());

test("the same VM's goes, another VM's of the name stays", async () => {
  await removeOfSameVm(folder, vmGroup({ vm: 'web', identity: { id: 'other' } }), warn);
  expect(existsSync(folder)).toBe(true);
  await removeOfSameVm(folder, vmGroup(captured), warn);
  expect(existsSync(folder)).toBe(false);
  expect(warnings).toEqual([]);
});

test('one that does not match its checksum stays with a warning', async () => {
  const path = join(folder, 'captured.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"createdMs": 1', '"createdMs": 2'));
  await removeOfSameVm(folder, vmGroup(captured), warn);
  expect(existsSync(folder)).toBe(true);
  expect(warnings).toEqual([expect.stringContaining('does not match its own checksum')]);
});
