// Sends one entry of the spool: `pars upload --captured` as a process of its own. What becomes of the entry follows from
// how that ends.
//
// An entry that was tried before may be in the store already: the process, or this one, may have been killed after the
// snapshot became visible. So the store is asked first, and the snapshot known by its VM and moment.
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { writeAttempts } from '../../spool/attempts.js';
import { vmGroup } from '../../spool/captured.js';
import { removeEntry, type SpoolEntry } from '../../spool/entries.js';
import { type Lock, waitForLock } from '../../spool/lock.js';
import { readSent, recordSent } from '../../spool/sent-journal.js';
import type { HookContext } from '../hook-context.js';
import { redact } from '../observe/redact.js';
import { describeEnd, type ProgramEnd, runProgram } from '../run-program.js';
import { configOf } from '../take/capture-into-spool.js';
import { failedDelayMs, outcomeOf, retryDelayMs, type UploadOutcome } from '../upload-outcome.js';

/** Bytes on disks and the saving are told where the upload says them. */
const uploadAnswer = z.object({
  id: z.string(),
  stored: z.object({ chosenBytes: z.number() }).optional().catch(undefined),
  planned: z.object({ savingFraction: z.number() }).optional().catch(undefined),
});
const listAnswer = z.array(
  z.object({
    id: z.string(),
    vm: z.string(),
    created: z.string(),
    identity: z
      .object({
        uuid: z.string().optional(),
        id: z.string().optional(),
        host: z.string().optional(),
      })
      .nullish(),
  }),
);

/** Who looks for room has it for moments. */
const entryLockTimeoutMs = 60_000;

/** `uploadLock` is the VM's; the upload holds it too, so that it is not overtaken when this process is killed. */
export async function sendEntry(
  hook: HookContext,
  entry: SpoolEntry,
  uploadLock: Lock,
): Promise<UploadOutcome> {
  const { spool } = hook;
  const entryLock = await waitForLock(spool.paths.root, 'entry', entry.name, {
    timeoutMs: entryLockTimeoutMs,
    signal: hook.signal,
  });
  try {
    if (!existsSync(entry.folder)) {
      // Dropped for a newer one a moment ago.
      return 'stored';
    }
    if ((await readSent(spool)).some((sent) => sent.entry === entry.name)) {
      await removeEntry(spool, entry.name);
      return 'stored';
    }
    const held = [uploadLock.fd, entryLock.fd];
    return (
      (entry.attempts.count === 0 ? undefined : await lookInStore(hook, entry, held)) ??
      (await upload(hook, entry, held))
    );
  } finally {
    await entryLock.release();
  }
}

/** Undefined when the store does not have it. */
async function lookInStore(
  hook: HookContext,
  entry: SpoolEntry,
  held: readonly number[],
): Promise<UploadOutcome | undefined> {
  const end = await runPars(hook, ['list', '--json'], held);
  const answer = listAnswer.safeParse(jsonOf(end.stdout));
  if (answer.success) {
    // Snapshots that cannot be read are left out of the list: one of them may be this, which is then sent once more.
    const created = new Date(entry.createdMs).toISOString();
    const found = answer.data.find(
      ({ vm, identity, created: itsOwn }) =>
        itsOwn === created && vmGroup({ vm, identity: identity ?? undefined }) === entry.group,
    );
    if (found === undefined) {
      return undefined;
    }
    hook.log.info('an earlier attempt had stored the snapshot', { vm: entry.vm, id: found.id });
    await leave(hook, entry, found.id);
    await hook.metrics.stored(entry.vm, {
      sizeBytes: undefined,
      savingRatio: undefined,
      durationMs: undefined,
    });
    return 'stored';
  }
  return end.exitCode === hook.exitMeaning.noStore ? undefined : await notStored(hook, entry, end);
}

async function upload(
  hook: HookContext,
  entry: SpoolEntry,
  held: readonly number[],
): Promise<UploadOutcome> {
  const { config, log, metrics } = hook;
  const { vm } = entry;
  const policy = configOf(hook, vm)?.policy ?? config.policy;
  const bandwidth = config.upload.bandwidthBytesPerSecond;
  const count = entry.attempts.count + 1;
  await writeAttempts(entry.folder, { ...entry.attempts, count, lastMs: Date.now() });
  const counted = { ...entry, attempts: { ...entry.attempts, count } };
  log.debug('sending a snapshot', { vm, entry: entry.name, attempt: count });
  const end = await runPars(
    hook,
    [
      'upload',
      ...['--captured', entry.folder, '--policy', policy, '--json'],
      ...['--codec', config.upload.codec],
      ...(bandwidth === undefined ? [] : ['--bandwidth', `${bandwidth}`]),
    ],
    held,
  );
  const answer = uploadAnswer.safeParse(jsonOf(end.stdout));
  if (outcomeOf(end, hook.exitMeaning) !== 'stored') {
    return await notStored(hook, counted, end);
  }
  if (!answer.success) {
    // The store knows whether that is so, and is asked before the next attempt.
    return await notStored(hook, counted, { ...end, exitCode: undefined, signal: 'no answer' });
  }
  const { id, stored, planned } = answer.data;
  await leave(hook, entry, id);
  await metrics.stored(vm, {
    sizeBytes: stored?.chosenBytes,
    savingRatio: planned?.savingFraction,
    durationMs: end.durationMs,
  });
  const facts = { vm, id, durationMs: Math.round(end.durationMs), exitCode: end.exitCode };
  if (end.exitCode === 0) {
    log.info('a snapshot is stored', facts);
  } else {
    log.warn('a snapshot is stored, but see what the upload said', { ...facts, said: end.stderr });
  }
  return 'stored';
}

async function leave({ spool }: HookContext, entry: SpoolEntry, id: string): Promise<void> {
  const { name, vm, createdMs } = entry;
  await recordSent(spool, { entry: name, vm, createdMs, id, sentMs: Date.now() });
  await removeEntry(spool, name);
}

/** Keeps the entry in the spool, with what happened and when it is tried again. */
async function notStored(
  hook: HookContext,
  entry: SpoolEntry,
  end: ProgramEnd,
): Promise<UploadOutcome> {
  const { log, metrics, exitMeaning } = hook;
  const found = outcomeOf(end, exitMeaning);
  const outcome = found === 'stored' ? 'failed' : found;
  const nowMs = Date.now();
  const { count } = entry.attempts;
  // Stopped with this process: neither its fault nor a reason to wait.
  const isStopped = hook.signal.aborted && outcome === 'later';
  const delayMs = isStopped ? 0 : outcome === 'failed' ? failedDelayMs : retryDelayMs(count);
  const message = redact(describeEnd(end));
  await writeAttempts(entry.folder, {
    version: 1,
    count,
    state: outcome === 'failed' ? 'failed' : 'waiting',
    lastMs: nowMs,
    nextMs: nowMs + delayMs,
    lastError: { message, ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }) },
  });
  if (!isStopped) {
    await metrics.failed(entry.vm);
  }
  const facts = {
    vm: entry.vm,
    entry: entry.name,
    attempt: count,
    next: new Date(nowMs + delayMs).toISOString(),
    error: message,
  };
  if (outcome === 'failed') {
    log.error('a snapshot could not be stored, and stays in the spool as failed', facts);
  } else {
    log.warn('a snapshot could not be stored now, and stays in the spool', facts);
  }
  return outcome;
}

async function runPars(
  { pars, config, signal }: HookContext,
  parsArguments: readonly string[],
  held: readonly number[],
): Promise<ProgramEnd> {
  return await runProgram({
    command: [...pars, ...parsArguments],
    timeoutMs: config.upload.timeoutMs,
    signal,
    // Not among the arguments, which every user of the host can see.
    environment: { PARS_STORE: config.store },
    held,
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
