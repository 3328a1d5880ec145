// The moment of a snapshot: the VM stands still, its disks get a filter that keeps what they hold, and QEMU begins to save
// the RAM and the devices.
//
// QEMU lets the VM go on by itself. Before that it touches every page, which takes most of the time and needs no stop: so
// the stop may come while QEMU does that. By the order of QEMU's lines it is known whether all came in time.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import { askQmp } from '../qmp/ask-qmp.js';
import type { QmpClient, QmpCommand, QmpEvent } from '../qmp/qmp-client.js';
import { gaveUp, queryMigration } from './migration.js';
import { filterNode } from './own-names.js';
import type { VmDisk } from './vm-facts.js';

export interface MomentRequest {
  readonly qmp: QmpClient;
  /** Where the stream goes. */
  readonly uri: string;
  /** With their filters ready. */
  readonly disks: readonly VmDisk[];
  /** The VM is stopped so long after QEMU has begun; undefined: before. */
  readonly stopAfterMs: number | undefined;
  readonly maxDowntimeMs?: number | undefined;
}

export interface Moment {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** When the VM was stopped, by QEMU's clock as `resumedMicroseconds` is. */
  readonly stoppedMicroseconds: number;
  readonly resumedMicroseconds: number;
  /** False: a disk came too late, so disks and RAM are of different moments. */
  readonly isOne: boolean;
}

const pollIntervalMs = 2;
const defaultLimitMs = 60_000;
const maxEventCount = 1000;

const statusSchema = z.object({ status: z.string() });

export async function takeMoment(request: MomentRequest): Promise<Moment> {
  const { qmp, disks } = request;
  const events: QmpEvent[] = [];
  const stopListening = qmp.onEvent((event) => {
    // No other one is looked at, and of these a VM has two or four.
    if ((event.name === 'STOP' || event.name === 'RESUME') && events.length < maxEventCount) {
      events.push(event);
    }
  });
  const started = Date.now();
  try {
    const lines = await sendAll(request);
    await untilRunning(request, events, started);
    const stop = events.find(({ name }) => name === 'STOP');
    const resume = events.find(({ name }) => name === 'RESUME');
    if (stop === undefined || resume === undefined) {
      throw new ParsError('unavailable', 'QEMU did not say when it stopped the VM');
    }
    return {
      atMs: Math.round(stop.atMicroseconds / 1000),
      stoppedMicroseconds: stop.atMicroseconds,
      resumedMicroseconds: resume.atMicroseconds,
      isOne:
        disks.length === 0 ||
        (events.filter(({ name }) => name === 'STOP').length === 1 &&
          lines.every((line) => stop.line < line && line < resume.line)),
    };
  } finally {
    stopListening();
  }
}

/** The lines of the answers by which each disk had its filter. */
async function sendAll({
  qmp,
  uri,
  disks,
  stopAfterMs,
}: MomentRequest): Promise<readonly number[]> {
  const filters = disks.map(({ qomPath }, index): QmpCommand => ({
    execute: 'qom-set',
    arguments: { path: qomPath, property: 'drive', value: filterNode(index) },
  }));
  const migrate: QmpCommand = { execute: 'migrate', arguments: { uri } };
  if (disks.length === 0) {
    // RAM alone needs no stop of ours: QEMU has its own.
    await answersOf(qmp, [migrate]);
    return [];
  }
  const stop: QmpCommand = { execute: 'stop' };
  if (stopAfterMs === undefined) {
    const [, ...lines] = await answersOf(qmp, [stop, ...filters, migrate]);
    return lines.slice(0, disks.length);
  }
  await answersOf(qmp, [migrate]);
  await sleep(stopAfterMs);
  const [, ...lines] = await answersOf(qmp, [stop, ...filters]);
  return lines;
}

/** The lines of the answers, once all are there. Throws the first refusal. */
async function answersOf(
  qmp: QmpClient,
  commands: readonly QmpCommand[],
): Promise<readonly number[]> {
  const answers = qmp.send(commands);
  await Promise.allSettled(answers);
  return (await Promise.all(answers)).map(({ line }) => line);
}

/**
 * Waits until the VM runs again. Sets it going where QEMU does not: where it leaves the VM as it was when the migration
 * began, or our stop came after QEMU's own.
 */
async function untilRunning(
  { qmp, maxDowntimeMs = defaultLimitMs }: MomentRequest,
  events: readonly QmpEvent[],
  startedMs: number,
): Promise<void> {
  for (;;) {
    const last = events.findLast(({ name }) => name === 'STOP' || name === 'RESUME');
    if (last?.name === 'RESUME') {
      return;
    }
    const migration = await queryMigration(qmp);
    const { status = 'none' } = migration;
    if (status === 'failed' || status === 'cancelled') {
      throw gaveUp(migration);
    }
    // By then every page is tracked: what the VM writes from now on is no longer saved.
    const isTracked = status === 'completed' || (migration.ram?.transferred ?? 0) > 0;
    if (isTracked && (await askQmp(qmp, 'query-status', statusSchema)).status === 'paused') {
      await qmp.execute('cont');
      continue;
    }
    const stop = events.find(({ name }) => name === 'STOP');
    const stoodMs = stop === undefined ? 0 : Date.now() - stop.atMicroseconds / 1000;
    if (stoodMs > maxDowntimeMs || Date.now() - startedMs > defaultLimitMs) {
      throw new ParsError(
        'unavailable',
        `the VM stood still for ${Math.round(stoodMs)} ms, so the snapshot was given up`,
      );
    }
    await sleep(pollIntervalMs);
  }
}
