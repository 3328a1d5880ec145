// One guest under one workload, looked at three times: it is stopped, measured from its files as they are, and goes on.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Guest } from '../../guest/guest.js';
import type { KernelPackage } from '../../guest/kernel-package.js';
import { type MomentName, momentNames, type Workload } from '../workloads.js';
import { bootDebian } from './debian-guest.js';
import type { SnapshotFigures } from './snapshot-figures.js';

const pollIntervalMs = 2000;
/** Several times what the slowest workload takes from one moment to the next. */
const momentTimeoutMs = 15 * 60_000;
const repository = fileURLToPath(new URL('../../..', import.meta.url));

export interface Moment {
  readonly name: MomentName;
  /** In the workload's unit. */
  readonly progress: number;
  /** What the guest's own clock says since its start. */
  readonly uptimeSeconds: number;
  /** The guest's own word, in KiB: `MemTotal`, `MemFree` and so on of /proc/meminfo. */
  readonly meminfo: Readonly<Record<string, number>>;
  readonly figures: SnapshotFigures;
}

/** `folder` must not exist yet; it is removed in the end. */
export async function observeMoments(
  workload: Workload,
  kernel: KernelPackage,
  imagePath: string,
  folder: string,
  onMoment: (moment: Moment) => void,
): Promise<readonly Moment[]> {
  mkdirSync(folder, { recursive: true });
  try {
    const guest = await bootDebian(kernel, imagePath, workload.ramSizeMib);
    try {
      const moments: Moment[] = [];
      await guest.command(`start_workload ${workload.name}`);
      for (const name of momentNames) {
        const moment = await observeMoment(guest, workload, name, folder);
        onMoment(moment);
        moments.push(moment);
      }
      return moments;
    } finally {
      await guest.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function observeMoment(
  guest: Guest,
  workload: Workload,
  name: MomentName,
  folder: string,
): Promise<Moment> {
  const progress = await waitFor(guest, workload, workload.moments[name]);
  const uptimeSeconds = Number.parseFloat(await guest.command('cat /proc/uptime'));
  const meminfo = parseMeminfo(await guest.command('cat /proc/meminfo'));
  await guest.stop();
  // The peer has its say once for each guest.
  const dumpWords = name === 'middle' ? ['dump', folder] : [];
  const figures = await measure(guest.ramPath, guest.diskPath, dumpWords);
  await guest.cont();
  return { name, progress, uptimeSeconds, meminfo, figures };
}

/** The progress once it is at least `target`. Rejects when the workload ends before. */
async function waitFor(guest: Guest, workload: Workload, target: number): Promise<number> {
  const deadlineMs = Date.now() + momentTimeoutMs;
  for (;;) {
    const said = await guest.command('progress');
    const [progress, state] = said.split(' ');
    if (Number(progress) >= target) {
      return Number(progress);
    }
    if (state !== 'active' || Date.now() > deadlineMs) {
      const log = await guest.command('journalctl --no-pager --lines=20 --unit=workload');
      throw new Error(
        `${workload.name}: expected ${target} ${workload.unit}, found: ${said}\n${log}`,
      );
    }
    await sleep(pollIntervalMs);
  }
}

async function measure(
  ramPath: string,
  diskPath: string,
  dumpWords: readonly string[],
): Promise<SnapshotFigures> {
  const main = fileURLToPath(new URL('measure-main.ts', import.meta.url));
  const measurer = spawn(
    process.execPath,
    ['--import', 'tsx', main, ramPath, diskPath, ...dumpWords],
    { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let printed = '';
  measurer.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const status = await new Promise((resolve, reject) => {
    measurer.once('error', reject);
    measurer.once('close', resolve);
  });
  if (status !== 0) {
    throw new Error(`measuring ended with ${String(status)}; it says why above`);
  }
  return JSON.parse(printed) as SnapshotFigures;
}

function parseMeminfo(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+): +(\d+) kB$/gm)].map(([, name, size]) => [name, Number(size)]),
  );
}
