// Sends what waits in the spool: oldest first, one snapshot of a VM at a time. Before, what dead processes left is
// cleaned and the limits are applied; afterwards old snapshots of the VMs go from the store, where that is configured.
import { messageOf } from '../../flow/message-of.js';
import { listEntries, type SpoolEntry, type SpoolListing } from '../../spool/entries.js';
import { vmPathPart } from '../../spool/layout.js';
import { type Lock, tryLock, waitForLock } from '../../spool/lock.js';
import { makeRoom } from '../../spool/make-room.js';
import { cleanSpool } from '../clean-spool.js';
import type { HookContext } from '../hook-context.js';
import { reportDropped } from '../report-dropped.js';
import { applyRetention } from './apply-retention.js';
import { dueEntry, type DueRule } from './due-entries.js';
import { sendEntry } from './send-entry.js';

export interface FlushRequest {
  /** Whether entries that failed are sent as well, without waiting for their day. */
  readonly retryFailed: boolean;
  /** This VM alone, at once: waits for an upload of it that is under way. */
  readonly waitForVm?: string;
}

export interface FlushResult {
  readonly sentCount: number;
  /** What is left, of the VM or of all. */
  readonly remaining: readonly SpoolEntry[];
  /** How many of these are of VMs whose snapshots another process is sending: they were left to it. */
  readonly busyCount: number;
  readonly unreadable: SpoolListing['unreadable'];
  /** Exit code of the retention, where it failed. */
  readonly retentionExitCode: number | undefined;
}

interface Round {
  readonly sentVms: Set<string>;
  /** Entries that had their turn. */
  readonly done: Set<string>;
  /** Another process is sending their entries. */
  readonly busyVms: Set<string>;
  sentCount: number;
  isStoreAway: boolean;
}

export async function flush(hook: HookContext, request: FlushRequest): Promise<FlushResult> {
  const { spool, log, metrics } = hook;
  await tidyUp(hook);
  const round: Round = {
    sentVms: new Set(),
    done: new Set(),
    busyVms: new Set(),
    sentCount: 0,
    isStoreAway: false,
  };
  const rule = (): DueRule => ({
    nowMs: Date.now(),
    retryFailed: request.retryFailed,
    ignoresBackOff: request.waitForVm !== undefined,
  });
  if (request.waitForVm !== undefined) {
    const lock = await waitForLock(spool.paths.root, 'upload', vmPathPart(request.waitForVm), {
      timeoutMs: hook.config.upload.timeoutMs,
      signal: hook.signal,
    });
    await sendAllOf(hook, request.waitForVm, lock, round, rule);
  } else {
    await sendAll(hook, round, rule);
  }
  const retentionExitCode = round.isStoreAway
    ? undefined
    : await applyRetention(hook, [...round.sentVms]);
  await metrics.write();
  const { entries, unreadable } = await listEntries(spool);
  for (const { name, error } of unreadable) {
    log.error('an entry of the spool cannot be read; it stays', {
      entry: name,
      error: error.message,
    });
  }
  const { waitForVm } = request;
  const remaining = entries.filter(({ vm }) => waitForVm === undefined || vm === waitForVm);
  return {
    sentCount: round.sentCount,
    remaining,
    busyCount: remaining.filter(({ vm }) => round.busyVms.has(vm)).length,
    unreadable,
    retentionExitCode,
  };
}

/** What dead processes left goes, and what the limits no longer allow. */
async function tidyUp(hook: HookContext): Promise<void> {
  await cleanSpool(hook);
  const { dropped } = await makeRoom(hook.spool, 0, () => Promise.resolve());
  await reportDropped(hook, dropped);
}

/**
 * Until nothing is due. An entry may come while its VM's lock is taken here, and the process that brought it then sees
 * the lock and leaves it to this one: so the spool is read again after the last lock was given back.
 */
async function sendAll(hook: HookContext, round: Round, rule: () => DueRule): Promise<void> {
  for (;;) {
    const { entries } = await listEntries(hook.spool);
    const due = [...new Set(entries.map(({ vm }) => vm))].filter(
      (vm) => dueEntry(entries, vm, round.done, rule()) !== undefined,
    );
    let workedCount = 0;
    for (const vm of due) {
      if (hook.signal.aborted || round.isStoreAway) {
        return;
      }
      const lock = await tryLock(hook.spool.paths.root, 'upload', vmPathPart(vm));
      if (lock === undefined) {
        round.busyVms.add(vm);
        hook.log.debug('another process is sending snapshots of the VM', { vm });
      } else {
        workedCount++;
        round.busyVms.delete(vm);
        await sendAllOf(hook, vm, lock, round, rule);
      }
    }
    if (workedCount === 0) {
      return;
    }
  }
}

/** Gives the lock back. */
async function sendAllOf(
  hook: HookContext,
  vm: string,
  lock: Lock,
  round: Round,
  rule: () => DueRule,
): Promise<void> {
  try {
    while (!hook.signal.aborted && !round.isStoreAway) {
      const { entries } = await listEntries(hook.spool);
      const entry = dueEntry(entries, vm, round.done, rule());
      if (entry === undefined) {
        return;
      }
      round.done.add(entry.name);
      const outcome = await sendEntry(hook, entry, lock);
      if (outcome === 'stored') {
        round.sentCount++;
        round.sentVms.add(vm);
      }
      round.isStoreAway = outcome === 'away';
    }
  } catch (error) {
    // Other VMs are no worse for it.
    hook.log.error('a snapshot cannot be sent', { vm, error: messageOf(error) });
    await hook.metrics.failed(vm);
  } finally {
    await lock.release();
  }
}
