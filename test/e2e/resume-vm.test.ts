// A VM starts from restored files with nothing but the command line that its QEMU had, and holds what it held.
//
// The old VM's folder is gone, so every path but RAM's is replaced. The script is run as users do, by its name.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkResume,
  type ResumeRequest,
  writeResume,
} from '../../src/restore/resume/write-resume.js';
import { flatLines, type Lines } from '../../src/text/standard-streams.js';
import { CommandPort } from '../guest/command-port.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { resumeGuest } from '../guest/guest.js';
import { MACHINE_FILES, qemuCommandLine, RUNTIME_FILES } from '../guest/machine.js';
import { Qmp } from '../guest/qmp.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';
import { connectWhenThere } from '../guest/socket.js';
import { testInWhole } from '../slice.js';
import { showAnswer, uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars, startPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const guestBootTimeoutMs = 300_000;
const stepTimeoutMs = 120_000;
const connectTimeoutMs = 10_000;
const resumeTimeoutMs = 60_000;
/** QEMU's, of the VM that was saved. */
const oldFolder = '/gone/vm 1';

interface RunningScript {
  readonly pid: number;
  readonly said: Promise<string>;
  readonly exitCode: Promise<number | null>;
  /** Ends the VM. */
  stop(signal?: NodeJS.Signals): void;
}

let guest: SnapshotFixture;
let folder: TemporaryFolder;
const scripts: RunningScript[] = [];

beforeAll(async () => {
  guest = await fixtureGuest('aged');
}, guestBootTimeoutMs);
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(async () => {
  for (const script of scripts.splice(0)) {
    script.stop('SIGTERM');
    await script.exitCode;
  }
  const left = await processesOf(folder.path);
  await folder.remove();
  expect(left).toEqual([]);
}, stepTimeoutMs);

/** Ends with the test process, even when that is killed, and ends QEMU with it. */
function start(path: string): RunningScript {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const script = {
    pid: child.pid ?? 0,
    said: text(child.stderr),
    exitCode: new Promise<number | null>((done, reject) => {
      child.once('error', reject);
      child.once('close', done);
    }),
    stop: (signal: NodeJS.Signals = 'SIGINT') => child.kill(signal),
  };
  scripts.push(script);
  return script;
}

interface RestoredFiles {
  readonly request: ResumeRequest & { readonly machine: Buffer; readonly diskPath: string };
  /** Where the VM's other files are. */
  readonly vm: string;
}

/** Restored files in a folder with a difficult name, disks in another. */
async function restoredFiles(): Promise<RestoredFiles> {
  const restored = join(folder.path, "it's, restored");
  const vm = join(folder.path, 'vm');
  await mkdir(restored);
  await mkdir(vm);
  for (const name of [MACHINE_FILES.disk, MACHINE_FILES.spare, MACHINE_FILES.initramfs]) {
    await copySparse(join(guest.folder, name), join(vm, name));
  }
  // Under libvirt QEMU may start no other programs.
  const sandbox = ['-sandbox', 'on,spawn=deny'];
  const words = ['qemu-system-x86_64', ...qemuCommandLine(guest.machine, oldFolder), ...sandbox];
  const request = {
    folder: restored,
    machine: Buffer.from(words.map((word) => `${word}\0`).join('')),
    replacements: [
      ...[MACHINE_FILES.disk, MACHINE_FILES.spare, MACHINE_FILES.initramfs],
      ...Object.values(RUNTIME_FILES),
    ].map((name) => `${join(oldFolder, name)}=${join(vm, name)}`),
    diskPath: join(vm, MACHINE_FILES.disk),
    warn: (lines: Lines) => {
      throw new Error(flatLines(lines).join('\n'));
    },
  } as const;
  return { request, vm };
}

async function restoredRamAndState(): Promise<Awaited<ReturnType<typeof restoredFiles>>> {
  const { request, vm } = await restoredFiles();
  const ramPath = join(request.folder, 'ram');
  const statePath = join(request.folder, 'state');
  await copySparse(guest.ramPath, ramPath);
  await copyFile(guest.statePath, statePath);
  return { request: { ...request, ramPath, statePath }, vm };
}

/** The guest's checksums, once it runs. Bytes that reach its serial port while its state is being loaded are lost. */
async function checksumsIn(vm: string, restored: string): Promise<ReadonlyMap<string, string>> {
  const deadlineMs = Date.now() + resumeTimeoutMs;
  while (!existsSync(join(restored, 'resumed'))) {
    if (Date.now() > deadlineMs) {
      throw new Error(`the VM did not run within ${resumeTimeoutMs} ms`);
    }
    await sleep(50);
  }
  const socket = await connectWhenThere(join(vm, RUNTIME_FILES.commandSocket), connectTimeoutMs);
  const port = new CommandPort(socket);
  try {
    const lines = (await port.command('checksums', stepTimeoutMs)).split('\n');
    return new Map(
      lines.map((line): [string, string] => {
        const [checksum, name] = line.split('  ');
        return [name, checksum];
      }),
    );
  } finally {
    port.close();
  }
}

/** Command lines that name the folder, as only its own processes' do. */
async function processesOf(path: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
  );
  return lines.filter((line) => line.includes(path));
}

test(
  'RAM in a file and device state: the VM runs on with all it held, once',
  async () => {
    const { request, vm } = await restoredRamAndState();
    const { scriptPath } = await writeResume(request);
    const script = start(scriptPath);
    expect(await checksumsIn(vm, request.folder)).toEqual(guest.checksums);
    expect(await readdir(request.folder)).toContain('resumed');

    const second = start(scriptPath);
    expect(await second.exitCode).toBe(5);
    expect(await second.said).toMatch(/ran from here before .* restore it to another folder/);

    script.stop();
    expect(await script.exitCode).toBe(130);
    expect(await script.said).toMatch(/^resume\.sh: the VM runs \(pid \d+\)$/m);
    const left = await readdir(request.folder);
    expect(left.sort()).toEqual(['ram', 'resume.sh', 'resumed', 'state']);
    await expect(checkResume(request)).rejects.toMatchObject({ code: 'already-exists' });
  },
  stepTimeoutMs,
);

testInWhole(
  'a whole migration stream: the VM runs on, and the RAM file of the old one is left alone',
  async () => {
    const { request, vm } = await restoredFiles();
    const streamPath = join(request.folder, 'migration');
    const source = await resumeGuest(guest, { paused: true });
    const saved = join(folder.path, 'stream');
    await source.saveStream(saved).finally(() => source.close());
    await rename(saved, streamPath);
    const { scriptPath } = await writeResume({ ...request, streamPath });
    const script = start(scriptPath);
    expect(await checksumsIn(vm, request.folder)).toEqual(guest.checksums);
    expect(await readdir(request.folder)).toContain('vm-ram-1');

    const qmp = await Qmp.connect(join(vm, RUNTIME_FILES.qmpSocket));
    await qmp.execute('quit');
    qmp.close();
    expect(await script.exitCode).toBe(0);
  },
  stepTimeoutMs,
);

testInWhole(
  'a damaged state: the script fails, no QEMU is left, and RAM is as it was for another try',
  async () => {
    const { request, vm } = await restoredRamAndState();
    const { scriptPath } = await writeResume(request);
    const statePath = join(request.folder, 'state');
    const state = await readFile(statePath);
    await writeFile(statePath, state.subarray(0, state.length >> 1));
    const before = await sha256Of(guest.ramPath);
    const script = start(scriptPath);
    expect(await script.exitCode).toBe(23);
    expect(await script.said).toMatch(/resume\.sh: the state was not loaded/);
    expect(await processesOf(folder.path)).toEqual([]);
    expect((await readdir(request.folder)).sort()).toEqual(['ram', 'resume.sh', 'state']);
    expect(await sha256Of(join(request.folder, 'ram'))).toBe(before);

    await writeFile(statePath, state);
    start(scriptPath);
    expect(await checksumsIn(vm, request.folder)).toEqual(guest.checksums);
  },
  stepTimeoutMs,
);

test(
  'a path that does not exist: QEMU says so and the script fails',
  async () => {
    const { request } = await restoredRamAndState();
    const { scriptPath } = await writeResume({
      ...request,
      replacements: request.replacements.map((text) => text.replace(/=.*disk\.img$/, '=/gone')),
      diskPath: undefined,
      warn: (sentence) => {
        expect(sentence).toMatch(/the VM's disks are \/gone and .*spare\.img/);
      },
    });
    const script = start(scriptPath);
    expect(await script.exitCode).toBe(23);
    expect(await script.said).toMatch(/Could not open '\/gone'[^]*QEMU did not start/);
  },
  stepTimeoutMs,
);

test(
  'pars restore --resume: one command heals what is lost and starts the VM, and Ctrl-C ends it',
  async () => {
    const { request, vm } = await restoredFiles();
    const store = new LocalStoreFolder(join(folder.path, 'store'));
    const machine = join(folder.path, 'machine');
    await writeFile(machine, request.machine);
    const upload = await expectPars(
      0,
      [
        ...['upload', guest.ramPath, '--state', guest.statePath],
        ...['--name', 'vm', '--machine', machine, '--json'],
      ],
      { storeUrl: store.url },
    );
    const { id } = uploadAnswer.parse(upload.json);
    const { packs } = showAnswer.parse(
      (await expectPars(0, ['show', id, '--json'], { storeUrl: store.url })).json,
    );
    for (const { name } of packs.filter(({ replication }) => replication === 1)) {
      await Promise.all(store.copiesOf(name).map((path) => rm(path)));
    }
    const out = join(folder.path, 'out');
    const { child, ended } = startPars(
      [
        ...['restore', id, '--out', out, '--resume', '--trust-machine'],
        ...['--disk', request.diskPath],
        ...request.replacements.flatMap((replacement) => ['--replace', replacement]),
      ],
      { storeUrl: store.url },
    );
    try {
      expect(await checksumsIn(vm, out)).toEqual(guest.checksums);
    } finally {
      child.kill('SIGINT');
    }
    const { exitCode, stdout, stderr } = await ended;
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/^healed: \d+ pages of cache \(\d+ folios\) will be read again/m);
    expect(stderr).toContain('the VM runs');
  },
  stepTimeoutMs,
);

/** The machine as it was started, its disks where the fixture has them; only what runs beside it lies elsewhere. */
async function machineAtHome(vm: string, change = (word: string) => word) {
  const path = join(folder.path, 'machine-at-home');
  const words = ['qemu-system-x86_64', ...qemuCommandLine(guest.machine, guest.folder)];
  await writeFile(path, JSON.stringify(words.map(change)));
  const replacements = Object.values(RUNTIME_FILES).map(
    (name) => `${join(guest.folder, name)}=${join(vm, name)}`,
  );
  return { path, replacements };
}

testInWhole(
  'pars restore --resume: disks that were stored with it need not be named, and the VM runs on them',
  async () => {
    const vm = join(folder.path, 'vm');
    await mkdir(vm);
    const { path, replacements } = await machineAtHome(vm);
    const store = new LocalStoreFolder(join(folder.path, 'store'));
    const spare = join(guest.folder, MACHINE_FILES.spare);
    const before = [await sha256Of(guest.diskPath), await sha256Of(spare)];
    const upload = await expectPars(
      0,
      [
        ...['upload', guest.ramPath, '--state', guest.statePath, '--name', 'vm', '--json'],
        ...['--policy', 'lean', '--with-disks', '--machine', path],
        ...['--disk', `vda=${guest.diskPath}`, '--disk', `vdb=${spare}`],
      ],
      { storeUrl: store.url },
    );
    const { id } = uploadAnswer.parse(upload.json);
    const out = join(folder.path, 'out');
    const { child, ended } = startPars(
      [
        ...['restore', id, '--out', out, '--resume', '--trust-machine'],
        ...replacements.flatMap((replacement) => ['--replace', replacement]),
      ],
      { storeUrl: store.url },
    );
    try {
      expect(await checksumsIn(vm, out)).toEqual(guest.checksums);
    } finally {
      child.kill('SIGINT');
    }
    const { exitCode, stderr } = await ended;
    expect(exitCode).toBe(130);
    expect(stderr).not.toContain('must be as they were');
    expect((await readdir(out)).sort()).toEqual([
      ...['disk-vda.img', 'disk-vdb.img', 'ram', 'resume.sh', 'resumed', 'state'],
    ]);
    expect([await sha256Of(guest.diskPath), await sha256Of(spare)]).toEqual(before);
  },
  stepTimeoutMs,
);

test(
  'a restored disk that was no raw file is converted to what the machine expects, and others are told of',
  async () => {
    const { request, vm } = await restoredRamAndState();
    const { path, replacements } = await machineAtHome(vm, (word) =>
      word.replace('driver=raw,node-name=disk,', 'driver=qcow2,node-name=disk,'),
    );
    const restored = join(request.folder, 'disk-vda.img');
    await copySparse(guest.diskPath, restored);
    const stored = { name: 'vda', path: restored, sourcePath: guest.diskPath };
    const spare = join(guest.folder, MACHINE_FILES.spare);
    const warnings: string[] = [];
    const resume: ResumeRequest = {
      ...request,
      machine: undefined,
      machineFile: path,
      replacements: [...replacements, `${spare}=${join(vm, MACHINE_FILES.spare)}`],
      diskPath: undefined,
      restoredDisks: [
        { ...stored, sourceFormat: 'qcow2' },
        { ...stored, name: 'vdz', path: '/out/vdz', sourcePath: '/gone/z', sourceFormat: 'raw' },
      ],
      warn: (lines) => warnings.push(...flatLines(lines)),
    };
    await checkResume(resume);
    const { scriptPath } = await writeResume(resume);
    expect(warnings).toEqual([
      expect.stringContaining(`the VM's disks are ${join(vm, MACHINE_FILES.spare)}:`),
      expect.stringContaining('does not name /gone/z, so the VM does not use /out/vdz'),
    ]);
    const converted = await readFile(join(request.folder, 'disk-vda.qcow2'));
    expect(converted.subarray(0, 4).toString('latin1')).toBe('QFI\xfb');
    const script = start(scriptPath);
    expect(await checksumsIn(vm, request.folder)).toEqual(guest.checksums);
    script.stop();
    expect(await script.exitCode).toBe(130);
    expect((await readdir(request.folder)).sort()).toEqual([
      ...['disk-vda.img', 'disk-vda.qcow2', 'ram', 'resume.sh', 'resumed', 'state'],
    ]);
  },
  stepTimeoutMs,
);

test('a machine with another size of RAM is refused, and so is none', async () => {
  const { request } = await restoredRamAndState();
  const words = ['qemu-system-x86_64', ...qemuCommandLine(guest.machine, oldFolder)];
  const machine = Buffer.from(
    JSON.stringify(words.map((word) => word.replace('size=512M', 'size=1G'))),
  );
  await expect(writeResume({ ...request, machine })).rejects.toThrow(
    /size 1G \(1073741824 bytes\).* has 536870912 bytes/,
  );
  await expect(writeResume({ ...request, machine: undefined })).rejects.toThrow(/--machine FILE/);
  expect(await readdir(request.folder)).toEqual(['ram', 'state']);
});
