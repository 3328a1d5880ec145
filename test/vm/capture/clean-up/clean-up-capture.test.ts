// What is done to a VM after a capture that was killed, by what its journal says and what QEMU says now.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUpCapture } from '../../../../src/vm/capture/clean-up/clean-up-capture.js';
import { currentBootId, type Journal, writeJournal } from '../../../../src/vm/capture/journal.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../../../e2e/temporary-folder.js';
import { FakeQemu } from '../../qmp/fake-qemu.js';

let folder: TemporaryFolder;
let capture: string;
let qmpPath: string;
let fake: FakeQemu | undefined;
/** A process with the name of a QEMU, and no more of it. */
let qemu: ChildProcess | undefined;

beforeEach(async () => {
  folder = await makeTemporaryFolder();
  capture = join(folder.path, 'vm1.part');
  qmpPath = join(folder.path, 'qmp.sock');
  mkdirSync(capture);
});
afterEach(async () => {
  qemu?.kill('SIGKILL');
  qemu = undefined;
  await fake?.close();
  fake = undefined;
  await folder.remove();
});

async function startQemu(): Promise<number> {
  const program = join(folder.path, 'qemu-stand-in');
  symlinkSync('/bin/sleep', program);
  qemu = spawn(program, ['1000'], { stdio: 'ignore' });
  await once(qemu, 'spawn');
  return qemu.pid ?? 0;
}

async function journalOf(changes: Partial<Journal>): Promise<void> {
  await writeJournal(capture, {
    version: 1,
    qmpPath,
    vcpuThreads: [process.pid],
    bootId: currentBootId(),
    phase: 'stopping',
    inBackground: false,
    ownsMigration: true,
    capabilities: {},
    parameters: { 'max-bandwidth': 1 },
    ...changes,
  });
}

/** As it is now. This process stands for its vCPU. */
interface Vm {
  readonly status: string;
  readonly migration?: string;
  readonly thread?: number;
}

async function listenAs({ status, migration, thread = process.pid }: Vm): Promise<FakeQemu> {
  fake = await FakeQemu.listen(qmpPath, {
    answers: {
      'query-cpus-fast': () => ({ return: [{ 'thread-id': thread }] }),
      'query-status': () => ({ return: { status } }),
      'query-migrate': () => ({ return: migration === undefined ? {} : { status: migration } }),
      'x-debug-query-block-graph': () => ({ return: { nodes: [], edges: [] } }),
      'query-block': () => ({ return: [] }),
      'query-block-exports': () => ({ return: [] }),
    },
  });
  return fake;
}

test('a VM that stands still because of the capture goes on', async () => {
  await journalOf({ pid: await startQemu() });
  const { commands } = await listenAs({ status: 'paused' });
  await cleanUpCapture(capture);
  expect(commands).toContainEqual({ execute: 'cont', arguments: {} });
  expect(existsSync(capture)).toBe(false);
});

const untouched: readonly (readonly [string, Partial<Journal>, Vm])[] = [
  ['before the capture stopped it', { phase: 'prepared' }, { status: 'paused' }],
  ['after the capture had let it go on', { phase: 'running' }, { status: 'paused' }],
  ['after it had run again', { vcpuTimeMs: -1e9 }, { status: 'paused' }],
  ['by another capture of a new QEMU', {}, { status: 'paused', thread: 1 }],
  ['by an I/O error', {}, { status: 'io-error' }],
  ['by its own move elsewhere', { ownsMigration: false }, { status: 'postmigrate' }],
];

test.each(untouched)('a VM that was stopped %s stays so', async (_, journal, vm) => {
  await journalOf({ pid: await startQemu(), ...journal });
  const listening = await listenAs(vm);
  await cleanUpCapture(capture);
  expect(listening.namesOfCommands()).not.toContain('cont');
  expect(listening.namesOfCommands()).toContain('migrate-set-parameters');
});

const foreignMigrations: readonly (readonly [string, Partial<Journal>])[] = [
  ['that began before ours could', { phase: 'prepared' }],
  ['for which QEMU refused ours', { ownsMigration: false }],
];

test.each(foreignMigrations)("a migration of the owner's %s goes on", async (_, journal) => {
  await journalOf({ pid: await startQemu(), ...journal });
  const listening = await listenAs({ status: 'running', migration: 'active' });
  await cleanUpCapture(capture);
  expect(listening.namesOfCommands()).not.toContain('migrate_cancel');
});

test('a VM that has ended needs nothing, and the folder goes', async () => {
  const pid = await startQemu();
  await journalOf({ pid });
  const exited = new Promise((resolve) => qemu?.once('exit', resolve));
  qemu?.kill('SIGKILL');
  await exited;
  await cleanUpCapture(capture);
  expect(existsSync(capture)).toBe(false);
});

test('after a new start of the machine nothing is asked of whoever listens there', async () => {
  await journalOf({ pid: await startQemu(), bootId: 'another' });
  const listening = await listenAs({ status: 'paused' });
  await cleanUpCapture(capture);
  expect(listening.commands).toEqual([]);
  expect(existsSync(capture)).toBe(false);
});

test('a VM that may be there and cannot be reached keeps the folder', async () => {
  await journalOf({ pid: await startQemu() });
  await expect(cleanUpCapture(capture)).rejects.toMatchObject({ code: 'unavailable' });
  expect(existsSync(join(capture, 'journal.json'))).toBe(true);
});

test('a socket that comes back within the time is waited for', async () => {
  await journalOf({ pid: await startQemu() });
  const cleaning = cleanUpCapture(capture, { timeoutMs: 20_000 });
  const { commands } = await listenAs({ status: 'paused' });
  await cleaning;
  expect(commands).toContainEqual({ execute: 'cont', arguments: {} });
});

test.each(['', '{"version":1}', 'no JSON'])(
  'a folder whose journal is %j was not touching its VM, and goes',
  async (text) => {
    writeFileSync(join(capture, 'journal.json'), text);
    await cleanUpCapture(capture);
    expect(existsSync(capture)).toBe(false);
  },
);

test('a folder without a journal goes', async () => {
  await cleanUpCapture(capture);
  expect(existsSync(capture)).toBe(false);
});
