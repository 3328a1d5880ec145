// Takes everything of a capture out of a QEMU again, whatever the moment it ended at: the migration, the exports, the
// filters before the disks, the settings; and lets the VM go on if it stands still because of us. Doing it twice does no
// harm, so the capture's own end, its guard and the next run all do the same.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import type { QmpClient } from '../qmp/qmp-client.js';
import { QmpCommandError } from '../qmp/qmp-command-error.js';
import { findOwnNodes } from './block-graph.js';
import { findQemu } from './find-qemu.js';
import type { Journal } from './journal.js';
import {
  changedParameter,
  hasEnded,
  queryMigration,
  unlimitedBytesPerSecond,
  untilEnded,
} from './migration.js';
import { ownPrefix } from './own-names.js';
import { receiveStream } from './receive-stream.js';

const pollIntervalMs = 20;
/** Where a VM stands still as a capture leaves it. (qapi/run-state.json) */
const stoppedStatuses: ReadonlySet<string> = new Set([
  ...['paused', 'postmigrate', 'finish-migrate', 'save-vm'],
]);

const statusSchema = z.object({ status: z.string() });
const exportsSchema = z.array(z.object({ id: z.string(), type: z.string() }));

/**
 * `folder`: the capture's, with its journal; without them the VM is never set going. Throws what QEMU refused, after all
 * else was tried.
 */
export async function putRight(
  qmp: QmpClient,
  capture?: { readonly folder: string; readonly journal: Journal },
): Promise<void> {
  const problems: Error[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof QmpCommandError)) {
        throw error;
      }
      problems.push(error);
    }
  };
  const { filtered, names } = await findOwnNodes(qmp);
  if (capture !== undefined) {
    const { folder, journal } = capture;
    await attempt(() => endMigration(qmp, folder, journal));
    // Before the disks, which can take longer: a filter does the VM no harm.
    await attempt(() => letGoOn(qmp, journal, names.length > 0));
    await attempt(() => putSettingsBack(qmp, journal));
  }
  await attempt(() => removeExports(qmp, capture?.journal));
  // What reads through a filter must go before it, and the device must have left it.
  const reading = names.filter((name) => name.startsWith(`${ownPrefix}access-`));
  for (const name of reading) {
    await attempt(() => deleteNode(qmp, name));
  }
  for (const { qomPath, nodeName } of filtered) {
    await attempt(async () => {
      await qmp.execute('qom-set', { path: qomPath, property: 'drive', value: nodeName });
    });
  }
  for (const name of names.filter((own) => !reading.includes(own))) {
    await attempt(() => deleteNode(qmp, name));
  }
  if (problems.length > 0) {
    throw new ParsError(
      'unavailable',
      `the VM runs, but not everything could be taken out of it again: ${problems.map(({ message }) => message).join('; ')}`,
      { cause: problems[0] },
    );
  }
}

/**
 * A background snapshot is let run to its end, as fast as it goes: before QEMU 8.1, one that breaks off leaves the RAM
 * write-protected, and the VM hangs at its next write. Where that has happened, another snapshot fails over what is left
 * of the first, and takes the protection off as it does. (QEMU migration/ram.c, ram_write_tracking_start)
 */
async function endMigration(qmp: QmpClient, folder: string, journal: Journal): Promise<void> {
  if (!journal.inBackground) {
    if (!hasEnded(await queryMigration(qmp))) {
      await qmp.execute('migrate_cancel');
      await untilEnded(qmp);
    }
    return;
  }
  if (!hasEnded(await queryMigration(qmp))) {
    await qmp.execute('migrate-set-parameters', { [changedParameter]: unlimitedBytesPerSecond });
  }
  const { status } = await untilEnded(qmp);
  if (journal.phase !== 'prepared' && (status === 'failed' || status === 'cancelled')) {
    const socketPath = join(folder, 'unprotect.sock');
    await rm(socketPath, { force: true });
    const sink = await receiveStream(socketPath, undefined);
    try {
      await qmp.execute('migrate', { uri: sink.uri });
      await untilEnded(qmp);
    } finally {
      sink.close();
    }
  }
}

async function putSettingsBack(
  qmp: QmpClient,
  { capabilities, parameters }: Journal,
): Promise<void> {
  await qmp.execute('migrate-set-capabilities', {
    capabilities: Object.entries(capabilities)
      // Off before on: QEMU refuses some pairs.
      .sort(([, a], [, b]) => Number(a) - Number(b))
      .map(([capability, state]) => ({ capability, state })),
  });
  await qmp.execute('migrate-set-parameters', parameters);
}

/** A QEMU that was started anew at the same socket is told by having nothing of ours, and stays as it is. */
async function letGoOn(
  qmp: QmpClient,
  { phase, qmpPath, pid }: Journal,
  hasOwnNodes: boolean,
): Promise<void> {
  const isOurs =
    hasOwnNodes ||
    (pid !== undefined && findQemu(qmpPath)?.pid === pid) ||
    (await queryMigration(qmp)).status !== undefined;
  if (phase !== 'stopping' || !isOurs) {
    return;
  }
  const { status } = statusSchema.parse(await qmp.execute('query-status'));
  if (stoppedStatuses.has(status)) {
    await qmp.execute('cont');
  }
}

async function removeExports(qmp: QmpClient, journal: Journal | undefined): Promise<void> {
  const read = async () => exportsSchema.parse(await qmp.execute('query-block-exports'));
  const isOwn = ({ id }: { readonly id: string }): boolean => id.startsWith(ownPrefix);
  let exports = await read();
  for (const { id } of exports.filter(isOwn)) {
    await qmp.execute('block-export-del', { id, mode: 'hard' });
  }
  while (exports.some(isOwn)) {
    await sleep(pollIntervalMs);
    exports = await read();
  }
  // QEMU has one server for all; it cannot be asked whether it runs.
  if (journal?.ownsNbdServer === true && !exports.some(({ type }) => type === 'nbd')) {
    await qmp.execute('nbd-server-stop').catch((error: unknown) => {
      if (!(error instanceof QmpCommandError)) {
        throw error;
      }
    });
  }
}

async function deleteNode(qmp: QmpClient, name: string): Promise<void> {
  await qmp.execute('blockdev-del', { 'node-name': name });
}
