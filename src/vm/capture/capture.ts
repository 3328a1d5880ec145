// A running VM into files: RAM, device state and disks of one moment. However it ends, the VM runs on as it did before
// (put-right.ts); should this process be killed, its guard sees to that, and should that be killed too, the next run.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import type { OnProgress } from '../../flow/progress.js';
import { diskError } from '../../host/disk-error.js';
import { type ChangedDevices, changedDevices } from '../changed-devices.js';
import { notHeld } from '../not-held.js';
import type { QmpClient } from '../qmp/qmp-client.js';
import { QmpCommandError } from '../qmp/qmp-command-error.js';
import type { UnnamedUse } from '../resume/unnamed-uses.js';
import { expectRoom, makeFolder } from './capture-folder.js';
import { cleanUpCapture } from './clean-up/clean-up-capture.js';
import { putRight } from './clean-up/put-right.js';
import { findOwnNodes } from './disks/block-graph.js';
import { nbdSocketName } from './disks/nbd-server.js';
import { type CapturedDisk, dropOverwritten } from './disks/save-disks.js';
import { type CaptureGuard, startGuard } from './guard/capture-guard.js';
import { currentBootId, type Journal, journalFile, writeJournal } from './journal.js';
import { changedCapabilities, changedParameter, hasEnded, queryMigration } from './migration.js';
import {
  type CaptureLimits,
  type CapturePlan,
  type CaptureWay,
  planCapture,
} from './plan-capture.js';
import { lookForSmallPages } from './ram/huge-pages.js';
import { mappedRamFile } from './ram/mapped-ram-file.js';
import { saveInBackground } from './ram/save-in-background.js';
import { saveStanding } from './ram/save-standing.js';
import { type FoundMachine, readMachine } from './read-machine.js';
import { qemuPidOf, vcpuTimeMs } from './vcpu-threads.js';
import { type MigrationSettings, readVmFacts, type VmFacts } from './vm-facts.js';
import { type LockedVm, withLockedVm } from './vm-lock.js';

export type { CapturedDisk } from './disks/save-disks.js';

export interface CaptureRequest {
  /** QEMU's QMP socket. */
  readonly qmpPath: string;
  /** An empty folder of the caller's, where the files go. QEMU must be able to write there. */
  readonly folder: string;
  /** Leave the disks out. */
  readonly withoutDisks?: boolean;
  /** Keep disks that are encrypted on their host as the guest sees them, in the clear. */
  readonly decryptsDisks?: boolean;
  /** Refuse, or give up and let the VM go on, when it would stand still for longer. */
  readonly maxDowntimeMs?: number | undefined;
  /** Limit of what is read from the VM; for its RAM and for each disk. */
  readonly bandwidthBytesPerSecond?: number | undefined;
  /** The QEMU command line, where it is not to be looked for. */
  readonly machinePath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

/** Paths are below the folder. */
export interface Capture {
  /** The moment, in milliseconds since 1970. */
  readonly createdMs: number;
  readonly way: CaptureWay;
  /** By QEMU's own clock: from the stop of the VM to its going on. */
  readonly downtimeMs: number;
  readonly imagePath: string;
  readonly format: 'migration' | 'raw';
  readonly statePath: string | undefined;
  /** Undefined when the command line could not be found. */
  readonly machinePath: string | undefined;
  /** The UUID of the machine, as QEMU or its command line has it; undefined where the machine was given none. */
  readonly uuid?: string | undefined;
  readonly disks: readonly CapturedDisk[];
  /** What the machine uses of its host besides; a resume will need it. */
  readonly notHeld: readonly UnnamedUse[];
  /** Against its command line. */
  readonly changedDevices: ChangedDevices;
}

export interface CapturePreview extends CapturePlan {
  readonly facts: VmFacts;
}

/** A monitor serves the next client as soon as the last one is gone. */
const reconnectTimeoutMs = 10_000;

/** What a capture would do, and cost. The VM is not stopped. */
export async function previewCapture(
  request: Pick<CaptureRequest, 'qmpPath' | 'withoutDisks' | 'decryptsDisks' | 'maxDowntimeMs'>,
): Promise<CapturePreview> {
  return await withLockedVm(request.qmpPath, async ({ qmp, vcpuThreads }) => {
    const facts = await readIdleFacts(qmp, vcpuThreads);
    expectNoSecrets(facts, request);
    return { ...(await planOf(facts, vcpuThreads, request)), facts };
  });
}

/**
 * Throws `unavailable` when QEMU cannot be reached or gives up, `usage` when the VM cannot be captured as wanted,
 * `no-space` when the folder is full, `cancelled`. The folder is empty then, unless the VM could not be put right: that is
 * said, and `cleanUpCapture` does it later.
 */
export async function captureVm(request: CaptureRequest): Promise<Capture> {
  request.signal?.throwIfAborted();
  return await withLockedVm(request.qmpPath, (vm) => captureLocked(vm, request));
}

async function captureLocked(
  { qmp, lock, vcpuThreads }: LockedVm,
  request: CaptureRequest,
): Promise<Capture> {
  const { folder, qmpPath, signal } = request;
  makeFolder(folder, vcpuThreads);
  await putAwayLeftovers(qmp);
  let journal: Journal | undefined;
  let guard: CaptureGuard | undefined;
  try {
    const found = await readIdleFacts(qmp, vcpuThreads, async (settings) => {
      journal = journalOf(qmpPath, vcpuThreads, settings);
      await writeJournal(folder, journal);
    });
    const machine = await readMachine(request, vcpuThreads, found);
    const facts = { ...found, disks: machine?.disks ?? found.disks };
    expectNoSecrets(facts, request);
    const plan = await planOf(facts, vcpuThreads, request);
    await expectRoom(folder, plan.scratchSizeBytes);
    journal = {
      ...journalOf(qmpPath, vcpuThreads, facts.settings),
      inBackground: plan.way === 'background-snapshot',
    };
    guard = await startGuard(folder, lock);
    const capture = await captureWatched(qmp, guard, { ...request, machine }, facts, plan, journal);
    guard.release();
    return capture;
  } catch (error) {
    if (journal !== undefined) {
      await putRightAfterFailure(qmp, folder, journal, error).catch((problem: unknown) => {
        guard?.leave();
        throw problem;
      });
    }
    guard?.release();
    throw signal?.aborted === true
      ? new ParsError('cancelled', 'the capture was stopped; the VM runs as before', {
          cause: error,
        })
      : asParsError(error);
  }
}

/** By how the RAM lies now: small pages that are joined before the VM stands still make that shorter than is foretold. */
async function planOf(
  facts: VmFacts,
  vcpuThreads: readonly number[],
  limits: CaptureLimits,
): Promise<CapturePlan> {
  const pid = qemuPidOf(vcpuThreads);
  return planCapture(
    facts,
    limits,
    pid === undefined ? undefined : await lookForSmallPages(pid, facts.ramSizeBytes),
  );
}

async function captureWatched(
  qmp: QmpClient,
  guard: CaptureGuard,
  request: CaptureRequest & { readonly machine: FoundMachine | undefined },
  facts: VmFacts,
  { way }: CapturePlan,
  journal: Journal,
): Promise<Capture> {
  const { folder, withoutDisks } = request;
  const disks = withoutDisks === true ? [] : facts.disks;
  // The loss of QEMU ends the rest.
  const lost = new AbortController();
  const stopWatching = qmp.onLost((error) => {
    lost.abort(error);
  });
  const setPhase = async (phase: Journal['phase']): Promise<void> => {
    Object.assign(journal, { phase, vcpuTimeMs: vcpuTimeMs(journal.vcpuThreads) });
    await writeJournal(folder, journal);
  };
  try {
    const save = way === 'background-snapshot' ? saveInBackground : saveStanding;
    const { atMs, ...saved } = await save({
      ...request,
      qmp,
      pid: journal.pid,
      guard,
      facts,
      way,
      disks,
      setPhase,
      signal:
        request.signal === undefined ? lost.signal : AbortSignal.any([request.signal, lost.signal]),
    });
    await putRight(qmp, { folder, journal });
    await dropOverwritten(folder, disks);
    await rm(join(folder, nbdSocketName), { force: true });
    const machinePath = await writeMachine(request);
    await rm(join(folder, journalFile));
    const uuid = facts.uuid ?? request.machine?.uuid;
    const command = request.machine?.command;
    return {
      ...saved,
      createdMs: atMs,
      way,
      machinePath,
      uuid,
      notHeld:
        command === undefined
          ? []
          : notHeld(
              command,
              disks.map(({ sourcePath }) => sourcePath),
            ),
      changedDevices:
        command === undefined
          ? { added: [], removed: [] }
          : changedDevices(command, facts.deviceIds),
    };
  } catch (error) {
    if (error instanceof QmpCommandError && error.command === 'migrate') {
      journal.ownsMigration = false;
      await writeJournal(folder, journal);
    }
    throw error;
  } finally {
    stopWatching();
  }
}

/** What the owner keeps encrypted leaves the host in the clear only when that is said. */
function expectNoSecrets(
  { disks }: VmFacts,
  { withoutDisks, decryptsDisks }: Pick<CaptureRequest, 'withoutDisks' | 'decryptsDisks'>,
): void {
  const encrypted = disks.filter(({ isEncrypted }) => isEncrypted);
  if (encrypted.length > 0 && withoutDisks !== true && decryptsDisks !== true) {
    throw new ParsError(
      'usage',
      `encrypted on this host: ${encrypted.map(({ name, sourcePath }) => `${name} (${sourcePath})`).join(', ')}; a snapshot ` +
        'would hold them in the clear, and could not give them back encrypted: --without-disks leaves disks out, ' +
        '--decrypt-disks stores them so',
    );
  }
}

/**
 * Puts away what is in QEMU of a run that was killed, and whose folder may be gone too. What that run paused is not known
 * here, and stays paused.
 */
async function putAwayLeftovers(qmp: QmpClient): Promise<void> {
  const { names } = await findOwnNodes(qmp);
  if (names.length > 0) {
    await putRight(qmp);
  }
}

async function readIdleFacts(
  qmp: QmpClient,
  vcpuThreads: readonly number[],
  beforeTrying?: (settings: MigrationSettings) => Promise<void>,
): Promise<VmFacts> {
  const migration = await queryMigration(qmp);
  if (!hasEnded(migration)) {
    throw new ParsError(
      'unavailable',
      `QEMU is migrating the VM already (${migration.status ?? 'none'}): try again when that has ended`,
    );
  }
  const facts = await readVmFacts(qmp, beforeTrying);
  return { ...facts, sharedRam: mappedRamFile(facts, qemuPidOf(vcpuThreads)) };
}

function journalOf(
  qmpPath: string,
  vcpuThreads: readonly number[],
  { capabilities, parameters }: MigrationSettings,
): Journal {
  const pid = qemuPidOf(vcpuThreads);
  return {
    version: 1,
    qmpPath,
    ...(pid === undefined ? {} : { pid }),
    vcpuThreads: [...vcpuThreads],
    bootId: currentBootId(),
    phase: 'prepared',
    inBackground: false,
    ownsMigration: true,
    capabilities: Object.fromEntries(
      Object.entries(capabilities).filter(
        ([name, isOn]) => isOn || changedCapabilities.includes(name),
      ),
    ),
    parameters: { [changedParameter]: parameters[changedParameter] },
  };
}

async function writeMachine({
  folder,
  machine,
}: Pick<CaptureRequest, 'folder'> & { readonly machine: FoundMachine | undefined }): Promise<
  string | undefined
> {
  if (machine === undefined) {
    return undefined;
  }
  const path = join(folder, 'machine');
  await writeFile(path, machine.bytes, { mode: 0o600, flag: 'wx', flush: true }).catch(
    (error: unknown) => {
      throw diskError(error, `cannot write ${path}`);
    },
  );
  return path;
}

/** By the connection at hand, or where that is lost, by another. */
async function putRightAfterFailure(
  qmp: QmpClient,
  folder: string,
  journal: Journal,
  cause: unknown,
): Promise<void> {
  try {
    await putRight(qmp, { folder, journal }).then(
      () => rm(folder, { recursive: true }),
      async () => {
        qmp.close();
        await cleanUpCapture(folder, { timeoutMs: reconnectTimeoutMs, hasLock: true });
      },
    );
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const words = (problem: unknown): string =>
      problem instanceof Error ? problem.message : String(problem);
    throw new ParsError(
      'unavailable',
      `${words(cause)}; and the VM could not be put right: ${words(error)}; ` +
        `its guard tries on for ten minutes, and the next run does, by ${join(folder, journalFile)}`,
      { cause },
    );
  }
}

function asParsError(error: unknown): Error {
  if (error instanceof QmpCommandError) {
    return new ParsError(
      'unavailable',
      `${error.message}; the snapshot was given up, and the VM runs as before`,
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}
