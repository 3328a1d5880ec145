// Takes everything of a capture out of a QEMU again, whatever the moment it ended at: the migration, the exports, the
// filters before the disks, the settings; and lets the VM go on if it stands still because of us. Doing it twice does no
// harm, so the capture's own end, its guard and the next run all do the same.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ParsError } from '../../../../introspect/pars-error.js';
import { askQmp } from '../../qmp/ask-qmp.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import { QmpCommandError } from '../../qmp/qmp-command-error.js';
import { findOwnNodes } from '../disks/block-graph.js';
import { isNbdServerOurs } from '../disks/nbd-server.js';
import type { Journal } from '../journal.js';
import {
  changedParameter,
  hasEnded,
  queryMigration,
  unlimitedBytesPerSecond,
  untilEnded,
} from '../migration.js';
import { ownPrefix } from '../own-names.js';
import { readVcpuThreads, vcpuTimeMs } from '../vcpu-threads.js';
import { unprotectMemory } from './unprotect.js';

const pollIntervalMs = 20;
/** How long disk exports may take to end: they end once what they read has come from the disk. */
const exportTimeoutMs = 120_000;
/** Where a VM stands still as a capture leaves it. (qapi/run-state.json) */
const stoppedStatuses: ReadonlySet<string> = new Set([
  ...['paused', 'postmigrate', 'finish-migrate', 'save-vm'],
]);
/**
 * What each vCPU may have run between the note in the journal and our stop of the VM: QEMU may be touching the pages of a
 * large one. When they ran longer, somebody has set it going since, and if it stands still now, that is not ours.
 */
const ranSinceMs = 5_000;

const statusSchema = z.object({ status: z.string() });
const exportsSchema = z.array(z.object({ id: z.string(), type: z.string() }));

export interface CaptureToEnd {
  readonly folder: string;
  readonly journal: Journal;
}

/**
 * Who calls it has the VM's lock. `capture`: without its folder and journal the VM is never set going. Throws what QEMU
 * refused, after all else was tried.
 */
export async function putRight(qmp: QmpClient, capture?: CaptureToEnd): Promise<void> {
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
    const { journal } = capture;
    await attempt(() => endMigration(qmp, journal));
    // Before the disks, which can take longer: a filter does the VM no harm.
    await attempt(() => letGoOn(qmp, journal));
    await attempt(() => putSettingsBack(qmp, journal));
  }
  await attempt(() => removeExports(qmp, capture?.folder));
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
 * A background snapshot is let run to its end, as fast as it goes, since one that breaks off can leave the VM's memory
 * write-protected. Where that has happened, the VM is freed of it.
 */
async function endMigration(qmp: QmpClient, journal: Journal): Promise<void> {
  if (journal.phase === 'prepared' || !journal.ownsMigration) {
    return;
  }
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
  if (status === 'failed' || status === 'cancelled') {
    await unprotectMemory(qmp, journal.pid);
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

/** Not a VM that its owner has stopped, as far as can be told; nor a QEMU that was started anew at the same socket. */
async function letGoOn(qmp: QmpClient, journal: Journal): Promise<void> {
  if (journal.phase !== 'stopping' || !(await isSameVm(qmp, journal)) || hasRunSince(journal)) {
    return;
  }
  const status = await statusOf(qmp);
  // Where a migration of somebody else has come to its end, the VM runs elsewhere.
  if (journal.ownsMigration ? stoppedStatuses.has(status) : status === 'paused') {
    await qmp.execute('cont');
  }
}

async function isSameVm(qmp: QmpClient, { vcpuThreads }: Journal): Promise<boolean> {
  const threads = await readVcpuThreads(qmp);
  return threads.some((thread) => vcpuThreads.includes(thread));
}

function hasRunSince({ vcpuThreads, vcpuTimeMs: beforeMs }: Journal): boolean {
  const nowMs = vcpuTimeMs(vcpuThreads);
  return (
    beforeMs !== undefined &&
    nowMs !== undefined &&
    nowMs - beforeMs > ranSinceMs * vcpuThreads.length
  );
}

async function statusOf(qmp: QmpClient): Promise<string> {
  return (await askQmp(qmp, 'query-status', statusSchema)).status;
}

async function removeExports(qmp: QmpClient, folder: string | undefined): Promise<void> {
  const read = async () => await askQmp(qmp, 'query-block-exports', exportsSchema);
  const isOwn = ({ id }: { readonly id: string }): boolean => id.startsWith(ownPrefix);
  let exports = await read();
  // Ours are only in a server of ours.
  const hasServer =
    exports.some(isOwn) || (folder !== undefined && (await isNbdServerOurs(folder)));
  for (const { id } of exports.filter(isOwn)) {
    await qmp.execute('block-export-del', { id, mode: 'hard' });
  }
  const deadlineMs = performance.now() + exportTimeoutMs;
  while (exports.some(isOwn)) {
    if (performance.now() > deadlineMs) {
      throw new ParsError(
        'unavailable',
        `QEMU does not let go of the exports of the VM's disks within ${exportTimeoutMs / 1000} s`,
      );
    }
    await sleep(pollIntervalMs);
    exports = await read();
  }
  if (hasServer && !exports.some(({ type }) => type === 'nbd')) {
    await qmp.execute('nbd-server-stop');
  }
}

async function deleteNode(qmp: QmpClient, name: string): Promise<void> {
  await qmp.execute('blockdev-del', { 'node-name': name });
}
