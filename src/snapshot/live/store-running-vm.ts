// A running VM is captured into the scratch folder, and stored from there. When the store fails then, the capture is kept:
// the moment does not come again.
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import type { OnProgress } from '../../flow/progress.js';
import { type Captured, vmGroup, writeCaptured } from '../../spool/captured.js';
import { capturedOf } from '../../spool/captured-of.js';
import { entryName } from '../../spool/layout.js';
import type { Lines } from '../../text/standard-streams.js';
import { type Capture, type CaptureRequest, captureVm } from '../../vm/capture/capture.js';
import { bashQuote } from '../../vm/qemu/bash-quote.js';
import { givenIdentity, liveIdentity } from '../../vm/vm-identity.js';
import { openImageWithState } from '../prepare/open-image.js';
import { cleanUpLeftovers, lockVm, partSuffix, removeOfSameVm, storingSuffix } from './scratch.js';

export interface RunningVm {
  readonly vm: string;
  /** What tells it from other VMs of that name; undefined: what its hypervisor and this host say. */
  readonly vmId: string | undefined;
  /** How it is captured. */
  readonly capture: Omit<CaptureRequest, 'folder' | 'signal' | 'onProgress'>;
  /** As `makeScratch` gives it. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly warn: (lines: Lines) => void;
}

/** Throws `unavailable` while another process captures it, else as `captureVm` and `store` do. */
export async function storeRunningVm<T>(
  running: RunningVm,
  store: (folder: string) => Promise<T>,
): Promise<T> {
  const { vm, scratch, warn } = running;
  const lock = await lockVm(scratch, vm);
  try {
    const superseded = await cleanUpLeftovers(scratch, vm, warn);
    const folder = join(scratch, entryName(vm, randomBytes(8).toString('hex')));
    const storing = `${folder}${storingSuffix}`;
    const captured = await captureInto(folder, running);
    for (const name of superseded) {
      await removeOfSameVm(join(scratch, name), vmGroup(captured), warn);
    }
    const result = await store(storing).catch(async (error: unknown) => {
      await keepOrRemove(folder, captured, running);
      throw error;
    });
    await rm(storing, { recursive: true });
    return result;
  } finally {
    await lock.release();
  }
}

/** What was not stored: whoever stopped it wants none of it, and what no program reads helps nobody. */
async function keepOrRemove(
  folder: string,
  captured: Captured,
  { vm, signal, warn }: RunningVm,
): Promise<void> {
  const storing = `${folder}${storingSuffix}`;
  if (signal.aborted) {
    await rm(storing, { recursive: true });
  } else if (!isReadable(storing, captured)) {
    await rm(storing, { recursive: true });
    warn(
      `what was captured of ${vm} cannot be stored by this program, now or later, so it was removed`,
    );
  } else {
    await rename(storing, folder);
    warn(
      `what was captured of ${vm} is kept: pars upload --captured ${folder} stores it, and nothing else removes it`,
    );
  }
}

/** What cannot be read as an image no store that comes back would help. */
function isReadable(folder: string, { image, state }: Captured): boolean {
  try {
    openImageWithState(join(folder, image.file), {
      format: image.format,
      statePath: state === undefined ? undefined : join(folder, state),
    }).close();
    return true;
  } catch (error) {
    return !(
      error instanceof ParsError &&
      (error.code === 'unsupported' || error.code === 'image-invalid')
    );
  }
}

/** Into `folder` with `storingSuffix`, once it is whole. */
async function captureInto(
  folder: string,
  { vm, vmId, capture: wanted, signal, onProgress, warn }: RunningVm,
): Promise<Captured> {
  const part = `${folder}${partSuffix}`;
  await mkdir(part, { mode: 0o700 });
  const capture = await captureVm({ ...wanted, folder: part, signal, onProgress }).catch(
    async (error: unknown) => {
      // Where the VM could not be put right, the folder has what that needs, and stays.
      await rmdir(part).catch(() => undefined);
      throw error;
    },
  );
  warnOfResume(wanted.qmpPath, capture, warn);
  const identity =
    vmId === undefined
      ? liveIdentity({ uuid: capture.uuid, qmpPath: resolve(wanted.qmpPath) })
      : givenIdentity(vmId);
  const captured = capturedOf({ vm, source: 'qmp', folder: part, capture, identity });
  await writeCaptured(part, captured);
  await rename(part, `${folder}${storingSuffix}`);
  return captured;
}

/** What whoever resumes it would else learn too late. */
function warnOfResume(
  qmpPath: string,
  { machinePath, notHeld, changedDevices: { added, removed } }: Capture,
  warn: RunningVm['warn'],
): void {
  if (machinePath === undefined) {
    warn(
      `the QEMU behind ${qmpPath} could not be told, so a restore will need its command line (--machine)`,
    );
  }
  if (notHeld.length > 0) {
    warn([
      'the snapshot does not hold all that its machine uses of this host, and a resume will need it:',
      notHeld.map(({ path, why }) => `  ${bashQuote(path)}: ${why}`),
    ]);
  }
  if (added.length + removed.length > 0) {
    warn(
      'the machine is not as its command line has it, so a resume needs one that is (restore --machine): ' +
        [
          ...(added.length > 0 ? [`plugged in since: ${added.join(', ')}`] : []),
          ...(removed.length > 0 ? [`taken out: ${removed.join(', ')}`] : []),
        ].join('; '),
    );
  }
}
