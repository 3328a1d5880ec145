// One live snapshot of a guest under load: taken by the built command line, judged by the host as it lies in the files,
// resumed and judged by the guest.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { uploadAnswer } from '../e2e/command-answers.js';
import { expectPars } from '../e2e/pars-command.js';
import { copySparse } from '../guest/copy-sparse.js';
import type { Guest } from '../guest/guest.js';
import { severeLines } from '../guest/kernel-log.js';
import { readDiskWitness, wrongFileSystem } from './disk-witness.js';
import { type LiveGuest, type RestoredFiles, resumeLiveGuest } from './live-guest.js';
import { readRamWitness } from './stream-witnesses.js';
import type { TickGap } from './tick-recorder.js';
import { askWitness } from './witness-answer.js';

/** Without disks nothing writes to them around the moment, so that a copy stands for them. */
export type Extent = 'RAM and disks' | 'RAM';

export interface LiveOutcome {
  readonly extent: Extent;
  readonly way: string;
  /** By QEMU's own events. */
  readonly downtimeMs: number;
  /** The longest between two ticks that has the moment in it or right behind it, as they arrive outside. */
  readonly gapMs: number;
  /** The longest by the guest's own clock while the whole capture went on. */
  readonly ownGapMs: number;
  readonly wrong: readonly string[];
  /** On the disk at the moment, and how many the RAM says were synced and begun. */
  readonly records: {
    readonly synced: number;
    readonly onDisk: number;
    readonly begun: number;
  };
}

const liveAnswer = uploadAnswer.extend({
  capture: z.object({ way: z.string(), downtimeMs: z.number() }),
});
const showAnswer = z.object({ createdMs: z.number() });

/** How late a tick may arrive that the moment delayed. */
const arrivalMs = 100;

/** `folder` must not exist yet, and does not afterwards. */
export async function takeLiveSnapshot(
  live: LiveGuest,
  extent: Extent,
  storeUrl: string,
  folder: string,
): Promise<LiveOutcome> {
  const { guest, ticks } = live;
  await askWitness(guest, 'ticks');
  if (extent === 'RAM') {
    await guest.command('pause_records');
  }
  const upload = await expectPars(
    0,
    [
      ...['upload', '--qmp', guest.qmpSocketPath, '--name', 'live', '--json'],
      ...['--scratch', join(folder, 'scratch')],
      ...(extent === 'RAM' ? ['--without-disks'] : []),
    ],
    { storeUrl },
  );
  const { id, capture } = liveAnswer.parse(upload.json);
  const own = await askWitness(guest, 'ticks');
  const moment = showAnswer.parse(
    (await expectPars(0, ['show', id, '--json'], { storeUrl })).json,
  ).createdMs;
  const around = ticks.between(moment, moment + capture.downtimeMs + arrivalMs);
  const restored = await restore(guest, extent, id, storeUrl, folder);
  if (extent === 'RAM') {
    await guest.command('continue_records');
  }
  await expectPars(0, ['delete', id], { storeUrl });
  try {
    const ram = await readRamWitness(restored.streamPath);
    const disk = await readDiskWitness(restored.diskPath, join(folder, 'replay'));
    const records = {
      synced: ram.syncedCount,
      onDisk: disk.recordCount,
      begun: ram.begunCount,
    };
    return {
      extent,
      ...capture,
      gapMs: Math.max(0, ...around.map(({ lengthMs }: TickGap) => lengthMs)),
      ownGapMs: Math.max(0, ...own.gapsMs),
      records,
      wrong: [
        ...ram.wrong,
        ...disk.wrong,
        ...wrongRecords(records),
        ...(await resumeAndAsk(guest, restored, records, folder)),
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export function wrongRecords({ synced, onDisk, begun }: LiveOutcome['records']): readonly string[] {
  return synced > 0 && synced <= onDisk && onDisk <= begun
    ? []
    : [
        `expected the disk to have the ${synced} records that the RAM says were synced and none behind the ${begun} ` +
          `that were begun, found ${onDisk}`,
      ];
}

async function restore(
  guest: Guest,
  extent: Extent,
  id: string,
  storeUrl: string,
  folder: string,
): Promise<RestoredFiles> {
  const out = join(folder, 'out');
  await expectPars(0, ['restore', id, '--out', out, '--output-format', 'migration'], { storeUrl });
  const names = { disk: 'disk-device', spare: 'spare-device' };
  const diskPath = join(out, `disk-${names.disk}.img`);
  const sparePath = join(out, `disk-${names.spare}.img`);
  if (extent === 'RAM') {
    await copySparse(guest.diskPath, diskPath);
    await copySparse(guest.sparePath, sparePath);
  }
  return { streamPath: join(out, 'migration'), diskPath, sparePath };
}

/** What is wrong with the guest that runs from the restored files. */
async function resumeAndAsk(
  original: Guest,
  files: RestoredFiles,
  { synced }: LiveOutcome['records'],
  folder: string,
): Promise<readonly string[]> {
  const guest = await resumeLiveGuest(original, files, join(folder, 'machine'));
  const wrong: string[] = [];
  const look = async (check: string): Promise<void> => {
    const lines = (await guest.command(`${check}; true`)).split('\n');
    wrong.push(...lines.filter((line) => line !== ''));
  };
  try {
    await guest.command('continue_records');
    const before = await askWitness(guest, 'ticks');
    // What it reads of its records then is what the disk has.
    await guest.command('drop_caches');
    const records = await askWitness(guest, 'records');
    const pages = await askWitness(guest, 'pages');
    const later = await askWitness(guest, 'pages');
    const after = await askWitness(guest, 'ticks');
    wrong.push(...records.wrong, ...later.wrong, ...after.wrong);
    if (records.count <= synced || later.count <= pages.count || after.count <= before.count) {
      wrong.push(
        `expected the resumed guest to go on, found ${synced} records, then ${records.count}; ` +
          `${pages.count} rounds through the pages, then ${later.count}; ${before.count} ticks, then ${after.count}`,
      );
    }
    await look('survival_processes');
    await look('survival_held');
    wrong.push(...severeLines(await guest.command('log_since_mark')));
    await guest.command('unmount_data');
    await guest.stop();
    wrong.push(...(await wrongFileSystem(guest.diskPath)));
  } catch (error) {
    wrong.push(`expected the resumed guest to answer, found: ${(error as Error).message}`);
  } finally {
    await guest.close();
  }
  return wrong;
}
