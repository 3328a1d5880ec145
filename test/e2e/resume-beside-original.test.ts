// A VM is resumed while the one that it was saved from still runs, from the same folder and with the same command line: the
// copy has its own disk, sockets and logs, and the original keeps its own.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startBareQemu } from '../guest/bare-qemu.js';
import type { QemuProcess } from '../guest/qemu-process.js';
import { Qmp } from '../guest/qmp.js';
import { uploadAnswer } from './command-answers.js';
import { sha256Of } from './file-hash.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars, runPars, startPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const testTimeoutMs = 180_000;
const startTimeoutMs = 30_000;
const diskSizeBytes = 8 * 2 ** 20;
/** There is no kernel in these guests: their firmware finds nothing to boot. */
const noKernel = 20;
const usage = 2;
const before = 0x11;
const after = 0x22;

interface Original {
  readonly folder: string;
  readonly qmp: string;
}

let folder: TemporaryFolder;
let originals: QemuProcess[] = [];

beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(async () => {
  for (const original of originals) {
    await original.close();
  }
  originals = [];
  await folder.remove();
});

const storeUrl = (): string => `file://${join(folder.path, 'store')}`;

/** In a folder of its own, which all its paths are relative to. */
async function startOriginal(...more: readonly string[]): Promise<Original> {
  const home = join(folder.path, 'vms');
  mkdirSync(home);
  writeFileSync(join(home, 'disk.img'), Buffer.alloc(diskSizeBytes, before));
  for (const name of ['cd.iso', 'fw.bin', 'ro.img']) {
    writeFileSync(join(home, name), Buffer.alloc(2 ** 20, before));
  }
  const qmp = join(home, 'qmp.sock');
  const qemu = await startBareQemu(
    qmp,
    [
      ...['-m', '32M', '-qmp', 'unix:qmp.sock,server=on,wait=off', '-D', 'qemu.log'],
      ...['-drive', 'file=disk.img,format=raw,if=virtio', '-serial', 'file:serial.log', ...more],
    ],
    home,
  );
  originals.push(qemu);
  return { folder: home, qmp };
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!isTrue()) {
    if (Date.now() > deadlineMs) {
      throw new Error(`not within ${startTimeoutMs} ms`);
    }
    await sleep(50);
  }
}

async function uploaded(
  { qmp }: Original,
  ...more: readonly string[]
): Promise<{ readonly id: string; readonly said: string }> {
  const scratch = join(folder.path, 'scratch');
  const words = ['upload', '--qmp', qmp, '--name', 'vm', '--scratch', scratch, ...more];
  const { json, stderr } = await expectPars(noKernel, [...words, '--json'], {
    storeUrl: storeUrl(),
  });
  return { id: uploadAnswer.parse(json).id, said: stderr };
}

/** By QEMU itself, past any guest. */
async function diskCommand(qmpPath: string, command: string): Promise<string> {
  const qmp = await Qmp.connect(qmpPath);
  try {
    const words = { 'command-line': `qemu-io virtio0 "${command}"` };
    return String(await qmp.execute('human-monitor-command', words));
  } finally {
    qmp.close();
  }
}

async function stopped(qmpPath: string): Promise<void> {
  const qmp = await Qmp.connect(qmpPath);
  await qmp.execute('stop');
  qmp.close();
}

/** The resumed VM's own monitor, once it runs. */
async function resumed(id: string, ...more: readonly string[]) {
  const out = join(folder.path, 'out');
  const words = ['restore', id, '--out', out, '--resume', '--trust-machine', ...more];
  const running = startPars(words, { storeUrl: storeUrl() });
  await until(() => existsSync(join(out, 'resumed')) || running.hasEnded());
  if (running.hasEnded()) {
    throw new Error((await running.ended).stderr);
  }
  return {
    out,
    qmp: join(out, 'vm/1-qmp.sock'),
    end: async (): Promise<void> => {
      running.child.kill('SIGINT');
      await running.ended;
    },
  };
}

test(
  'the copy runs on the restored disk, whatever became of the file since, and takes nothing of the original',
  async () => {
    const original = await startOriginal();
    const disk = join(original.folder, 'disk.img');
    const { id } = await uploaded(original);
    await diskCommand(original.qmp, `write -P ${after} 0 64k`);
    const diskSha = await sha256Of(disk);
    const log = readFileSync(join(original.folder, 'serial.log'));

    const copy = await resumed(id);
    try {
      expect(await diskCommand(copy.qmp, `read -P ${before} 0 64k`)).not.toMatch(/verification/);
      expect(await diskCommand(copy.qmp, `write -P 0x33 0 64k`)).not.toMatch(/failed/);
      // The original's monitor is still its own, and so is its disk.
      expect(await diskCommand(original.qmp, `read -P ${after} 0 64k`)).not.toMatch(/verification/);
    } finally {
      await copy.end();
    }
    expect(await sha256Of(disk)).toBe(diskSha);
    expect(readFileSync(join(original.folder, 'serial.log'))).toEqual(log);
    expect(existsSync(join(copy.out, 'vm/3-serial.log'))).toBe(true);
  },
  testTimeoutMs,
);

/** One option of each kind that names something of the host. */
const everything = [
  ...['-monitor', 'unix:mon.sock,server=on,wait=off', '-gdb', 'unix:gdb.sock,server=on,wait=off'],
  ...['-chardev', 'socket,id=c0,path=c0.sock,server=on,wait=off,logfile=c0.log'],
  ...['-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=c0'],
  ...['-chardev', 'file,id=c1,path=c1.out', '-device', 'isa-debugcon,chardev=c1'],
  ...['-parallel', 'file:parallel.out', '-pidfile', 'vm.pid', '-vnc', 'unix:vnc.sock'],
  ...['-drive', 'if=none,id=ro,format=raw,file=ro.img,readonly=on'],
  ...['-device', 'virtio-blk-pci,drive=ro', '-cdrom', 'cd.iso'],
  ...['-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0'],
  ...['-netdev', 'stream,id=n1,server=on,addr.type=unix,addr.path=net.sock'],
  ...['-object', 'filter-dump,id=f0,netdev=n0,file=net.pcap'],
  ...['-object', 'rng-random,id=r0,filename=/dev/urandom', '-fw_cfg', 'name=opt/x,file=fw.bin'],
];

/** Each file with its number, which is another once it was made anew, and what is in it. */
async function filesOf(home: string): Promise<ReadonlyMap<string, string>> {
  const entries = readdirSync(home).map(async (name): Promise<[string, string]> => {
    const stats = statSync(join(home, name));
    const content = stats.isFile() ? await sha256Of(join(home, name)) : 'socket';
    return [name, `${stats.ino} ${content}`];
  });
  return new Map(await Promise.all(entries));
}

test(
  'no file and no socket of the original changes, whatever its command line names',
  async () => {
    const original = await startOriginal(...everything);
    const { id } = await uploaded(original);
    await diskCommand(original.qmp, `write -P ${after} 0 64k`);
    writeFileSync(join(original.folder, 'fw.bin'), 'another');
    // Its own firmware writes packets and lines.
    await stopped(original.qmp);
    const files = await filesOf(original.folder);
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['c0.log', 'c0.sock', 'c1.out', 'gdb.sock', 'mon.sock', 'net.pcap']),
    );
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['net.sock', 'parallel.out', 'qemu.log', 'vm.pid', 'vnc.sock']),
    );
    const copy = await resumed(id);
    try {
      expect(await diskCommand(copy.qmp, `write -P 0x33 0 64k`)).not.toMatch(/failed/);
      expect(await filesOf(original.folder)).toEqual(files);
    } finally {
      await copy.end();
    }
    expect(await filesOf(original.folder)).toEqual(files);
    expect(await diskCommand(original.qmp, `read -P ${after} 0 64k`)).not.toMatch(/verification/);
  },
  testTimeoutMs,
);

test(
  'a VM that was started with -snapshot comes back with what it had written, not with its base',
  async () => {
    const original = await startOriginal('-snapshot');
    await diskCommand(original.qmp, `write -P ${after} 0 64k`);
    const { id } = await uploaded(original);
    const copy = await resumed(id);
    try {
      expect(await diskCommand(copy.qmp, `read -P ${after} 0 64k`)).not.toMatch(/verification/);
      expect(await diskCommand(copy.qmp, `read -P ${before} 64k 64k`)).not.toMatch(/verification/);
    } finally {
      await copy.end();
    }
    expect(readFileSync(join(original.folder, 'disk.img')).subarray(0, 65_536)).toEqual(
      Buffer.alloc(65_536, before),
    );
  },
  testTimeoutMs,
);

test(
  'a file that the VM would write to and that nobody restored or named is refused, and what is not held is said',
  async () => {
    const original = await startOriginal();
    const { id, said } = await uploaded(original, '--without-disks');
    const disk = join(original.folder, 'disk.img');
    expect(said).toContain(`${disk}: the VM would write to it`);
    const out = join(folder.path, 'refused');
    const words = ['restore', id, '--out', out, '--resume', '--trust-machine'];
    const refused = await runPars(words, { storeUrl: storeUrl() });
    expect(refused.exitCode).toBe(usage);
    expect(refused.stderr).toContain(disk);
    expect(refused.stderr).toMatch(/--replace OLD=NEW/);
    expect(existsSync(join(out, 'ram'))).toBe(false);
  },
  testTimeoutMs,
);

/**
 * qemu-img measures how fast it can hash, and gives up where that takes less than the clock of the machine's processors can tell,
 * as SHA-256 does on new ones.
 */
async function makeLuksImage(path: string, secret: string): Promise<void> {
  // Of little use against who wants in, and opened at once.
  const options = 'key-secret=key,hash-alg=sha512,iter-time=50';
  const words = ['create', '-q', '-f', 'luks', '--object', secret, '-o', options, path];
  for (let attemptsLeft = 5; ; attemptsLeft--) {
    try {
      await promisify(execFile)('qemu-img', [...words, '4M']);
      return;
    } catch (error) {
      if (attemptsLeft === 1 || !String(error).includes('accurate CPU usage')) {
        throw error;
      }
    }
  }
}

test(
  'an encrypted disk is refused, stored in the clear when that is said, and is not given to the machine',
  async () => {
    const secret = 'secret,id=key,data=only a test';
    const luks = join(folder.path, 'luks.img');
    await makeLuksImage(luks, secret);
    const original = await startOriginal(
      ...['-object', secret, '-drive', `file=${luks},format=luks,key-secret=key,if=none,id=l`],
      ...['-device', 'virtio-blk-pci,drive=l,id=hidden'],
    );
    const scratch = join(folder.path, 'scratch');
    const upload = ['upload', '--qmp', original.qmp, '--name', 'vm', '--scratch', scratch];
    const refused = await expectPars(usage, upload, { storeUrl: storeUrl() });
    expect(refused.stderr).toMatch(
      /encrypted on this host: hidden \(.*luks.img\).*--decrypt-disks/,
    );
    expect(new LocalStoreFolder(join(folder.path, 'store')).dataFiles()).toEqual([]);

    const { id } = await uploaded(original, '--decrypt-disks');
    const shown = await expectPars(0, ['show', id], { storeUrl: storeUrl() });
    expect(shown.stdout).toMatch(/luks at .*encrypted there and in the clear here/);
    const out = join(folder.path, 'out');
    const resume = ['restore', id, '--out', out, '--resume', '--trust-machine'];
    const notResumed = await expectPars(usage, resume, { storeUrl: storeUrl() });
    expect(notResumed.stderr).toMatch(/its disk hidden was encrypted/);
  },
  testTimeoutMs,
);
