// Question: how much of its work does a guest not get done because of a snapshot?
// Method: a guest does one kind of small work over and over: arithmetic, 4 KiB random writes each with fsync,
//   or sequential writes. The rate of it, by the host's clock, at rest and for as long as a snapshot takes: the capture of
//   `pars upload --qmp` alone and the whole command with a local store; QEMU's savevm into a qcow2 disk; `migrate` into a
//   file. Ratios of pairs, each with a rest of its own right before; also the work that was lost, in seconds at rest.
// Non-goals: for how long the guest stands still (live-downtime.ts); savevm of the disks: those that work are raw.
// Run: npm run bench -- live-slowdown [ROUNDS], with nothing else on the machine
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { captureVm } from '../src/vm/capture/capture.js';
import { expectPars } from '../test/e2e/pars-command.js';
import { bootGuest, type Guest } from '../test/guest/guest.js';
import { formatSpread } from './samples.js';

const rounds = Number(process.argv[2] ?? 5);
const restMs = 3000;
const pollMs = 50;
const unlimitedBytesPerSecond = 2 ** 40;

const works = {
  'CPU loop': 'churn cpu',
  '4 KiB random writes, fsync': 'churn random /data/churn',
  'sequential writes': 'churn sequential /data/churn',
} as const;

const ways = {
  'capture of pars upload --qmp': async (guest: Guest, folder: string) => {
    await captureVm({ qmpPath: guest.qmpSocketPath, folder });
  },
  'pars upload --qmp': async (guest: Guest, folder: string) => {
    await expectPars(0, [
      ...['upload', '--qmp', guest.qmpSocketPath, '--name', 'bench'],
      ...['--scratch', join(folder, 'scratch'), '--store', `file://${join(folder, 'store')}`],
    ]);
  },
  savevm: async (guest: Guest) => {
    await job(guest, 'snapshot-save');
  },
  migrate: async (guest: Guest, folder: string) => {
    await guest.qmp('migrate-set-parameters', { 'max-bandwidth': unlimitedBytesPerSecond });
    // It is left standing, as its next place would take over.
    await guest.saveStream(join(folder, 'stream'));
    await guest.cont();
  },
} as const satisfies Readonly<Record<string, (guest: Guest, folder: string) => Promise<void>>>;

const work = await mkdtemp(join(tmpdir(), 'pars-bench-'));
try {
  for (const [name, command] of Object.entries(works)) {
    await measureWork(name, command);
  }
} finally {
  await rm(work, { recursive: true, force: true });
}

async function measureWork(name: string, command: string): Promise<void> {
  const qcowPath = join(work, 'state.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', qcowPath, '4G']);
  const guest = await bootGuest({
    workload: 'cache',
    hasPrivateRam: true,
    // The file that is written to is in it too.
    disk: { contentSizeMib: 80, spareRoomMib: 192 },
    qemuArguments: [
      '-blockdev',
      `driver=qcow2,node-name=state,file.driver=file,file.filename=${qcowPath}`,
      ...['-device', 'virtio-blk-pci,id=state-device,drive=state'],
    ],
  });
  try {
    // Most of the RAM has been in use, as that of a VM has that has been up for a while.
    await guest.command('press 350');
    await guest.command('echo 500 >/proc/sys/vm/dirty_writeback_centisecs');
    await guest.command(`${command} & until [ -s /run/churn ]; do usleep 100000; done`);
    console.log(`\n${name}: median (min - max) of ${rounds}`);
    for (const [way, take] of Object.entries(ways)) {
      const ratios: number[] = [];
      const lost: number[] = [];
      const seconds: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const folder = join(work, 'round');
        await mkdir(folder);
        const rest = await rateDuring(guest, () => sleep(restMs));
        const during = await rateDuring(guest, () => take(guest, folder));
        if (way === 'savevm') {
          await job(guest, 'snapshot-delete');
        }
        await rm(folder, { recursive: true });
        ratios.push(during.perSecond / rest.perSecond);
        lost.push(during.seconds * (1 - during.perSecond / rest.perSecond));
        seconds.push(during.seconds);
      }
      console.log(
        `  ${way.padEnd(30)} rate ${formatSpread(ratios)} of that at rest for ${formatSpread(seconds, 1)} s; ` +
          `lost ${formatSpread(lost, 1)} s`,
      );
    }
  } finally {
    await guest.close();
    await rm(qcowPath);
  }
}

async function rateDuring(
  guest: Guest,
  act: () => Promise<void>,
): Promise<{ readonly perSecond: number; readonly seconds: number }> {
  const before = Number(await guest.command('cat /run/churn'));
  const started = performance.now();
  await act();
  const after = Number(await guest.command('cat /run/churn'));
  const seconds = (performance.now() - started) / 1000;
  return { perSecond: (after - before) / seconds, seconds };
}

/** savevm's own work, for one disk: the others are raw. */
async function job(guest: Guest, command: 'snapshot-save' | 'snapshot-delete'): Promise<void> {
  const id = 'bench';
  const vmstate = command === 'snapshot-save' ? { vmstate: 'state' } : {};
  await guest.qmp(command, { 'job-id': id, tag: id, devices: ['state'], ...vmstate });
  for (;;) {
    const jobs = (await guest.qmp('query-jobs')) as readonly {
      readonly id: string;
      readonly status: string;
      readonly error?: string;
    }[];
    const own = jobs.find((entry) => entry.id === id);
    if (own?.error !== undefined) {
      throw new Error(`${command}: ${own.error}`);
    }
    if (own?.status === 'concluded') {
      break;
    }
    await sleep(pollMs);
  }
  await guest.qmp('job-dismiss', { id });
}
