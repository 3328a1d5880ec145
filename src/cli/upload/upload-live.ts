// pars upload --qmp: a running VM is captured into a scratch folder, and that is stored. When the store fails then, the
// capture is kept: the moment does not come again.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { capturedOf } from '../../hook/take/capture-into-spool.js';
import { givenIdentity, liveIdentity } from '../../hook/vm-identity.js';
import { parseDuration } from '../../units/duration.js';
import { messageOf } from '../../flow/message-of.js';
import { makeOwnFolder, makeOwnFolderIn } from '../../host/own-folder.js';
import type { NamedPolicy } from '../../plan/policy.js';
import { readCaptured, vmGroup, writeCaptured } from '../../spool/captured.js';
import { type Lock, tryLock } from '../../spool/lock.js';
import { openStore } from '../../store/open-store.js';
import {
  type CapturePreview,
  type CaptureRequest,
  captureVm,
  previewCapture,
} from '../../vm/capture/capture.js';
import { cleanUpCapture } from '../../vm/capture/clean-up/clean-up-capture.js';
import { bashQuote } from '../../vm/qemu/bash-quote.js';
import { captureWays } from '../../vm/capture/plan-capture.js';
import { exitCodes } from '../shared/exit-code.js';
import { formatBytes } from '../shared/format.js';
import { openImageArgument } from '../../snapshot/prepare/open-image.js';
import { parseBandwidth } from '../shared/parse-bandwidth.js';
import type { CommandContext } from '../shared/run-command.js';
import { type UploadOptions, uploadSource } from './upload.js';
import { entryName, vmPartOfEntry, vmPathPart } from '../../spool/layout.js';
import { capturedSource, type UploadSource } from '../../snapshot/prepare/upload-source.js';

/** The folder for everybody's large files (hier(7)), and the name that ours has in it. */
const sharedScratch = '/var/tmp';
const scratchName = 'pars';
const scratchUse = { what: 'the scratch folder', remedy: 'name another with --scratch DIR' };
/** Of a capture under way; what has this name without a process that has the VM's lock was killed. */
const partSuffix = '.part';
/** Of a whole one that is being stored; likewise. */
const storingSuffix = '.storing';

export async function uploadLive(
  qmpPath: string,
  policy: NamedPolicy,
  options: UploadOptions,
  context: CommandContext,
): Promise<number> {
  const vm = options.name ?? '';
  expectVmName(vm, 'give another with --name');
  const wanted = {
    qmpPath,
    withoutDisks: options.withoutDisks === true,
    decryptsDisks: options.decryptDisks === true,
    maxDowntimeMs: downtimeOf(options),
    machinePath: options.machine,
    bandwidthBytesPerSecond:
      options.bandwidth === undefined ? undefined : parseBandwidth(options.bandwidth),
  };
  if (options.dryRun === true) {
    printPreview(await previewCapture(wanted), context);
    return exitCodes.ok;
  }
  // A store that is away should not cost the VM a pause.
  await (await openStore(options.store)).close();
  const scratch = makeScratch(options.scratch, context);
  const lock = await lockOf(scratch, vm);
  try {
    const superseded = await cleanUpLeftovers(scratch, vm, context);
    const folder = join(scratch, entryName(vm, randomBytes(8).toString('hex')));
    const storing = `${folder}${storingSuffix}`;
    const group = await captureInto(folder, vm, options.vmId, wanted, context);
    for (const name of superseded) {
      await removeOfSameVm(join(scratch, name), group, context);
    }
    const source = await capturedSource(storing);
    let exitCode: number;
    try {
      exitCode = await uploadSource(source, policy, options, context);
    } catch (error) {
      if (context.signal.aborted) {
        await rm(storing, { recursive: true });
      } else if (!isReadable(source)) {
        await rm(storing, { recursive: true });
        context.warn(
          `what was captured of ${vm} cannot be stored by this program, now or later, so it was removed`,
        );
      } else {
        await rename(storing, folder);
        context.warn(
          `what was captured of ${vm} is kept: pars upload --captured ${folder} stores it, and nothing else removes it`,
        );
      }
      throw error;
    }
    await rm(storing, { recursive: true });
    return exitCode;
  } finally {
    await lock.release();
  }
}

/** Asked when storing failed: what cannot be read as an image no store that comes back would help. */
function isReadable({ imagePath, format, statePath }: UploadSource): boolean {
  try {
    openImageArgument(imagePath, {
      ...(format === undefined ? {} : { format }),
      state: statePath,
    }).close();
    return true;
  } catch (error) {
    return !(
      error instanceof ParsError &&
      (error.code === 'unsupported' || error.code === 'image-invalid')
    );
  }
}

/** Guest memory goes there: it is nobody else's. */
function makeScratch(stated: string | undefined, { warn }: CommandContext): string {
  if (stated !== undefined) {
    return makeOwnFolder(resolve(stated), scratchUse);
  }
  const { path, takenBy } = makeOwnFolderIn(sharedScratch, scratchName, scratchUse);
  if (takenBy !== undefined) {
    warn(`${join(sharedScratch, scratchName)} belongs to ${takenBy}, so ${path} is used instead`);
  }
  return path;
}

/** In milliseconds. */
function downtimeOf({ maxDowntime }: UploadOptions): number | undefined {
  const downtimeMs = maxDowntime === undefined ? undefined : parseDuration(maxDowntime);
  if (maxDowntime !== undefined && downtimeMs === undefined) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(maxDowntime)} is no time: expected a number with its unit, such as 50ms or 2s`,
    );
  }
  return downtimeMs;
}

async function lockOf(scratch: string, vm: string): Promise<Lock> {
  const lock = await tryLock(scratch, 'capture', vmPathPart(vm));
  if (lock === undefined) {
    throw new ParsError(
      'unavailable',
      `another upload of ${vm} is under way in ${scratch}; one at a time`,
    );
  }
  return lock;
}

/** Under the VM's lock: captures that were killed. Gives those that are whole, to be removed once there is a newer one. */
async function cleanUpLeftovers(
  scratch: string,
  vm: string,
  { warn }: CommandContext,
): Promise<readonly string[]> {
  const names = await readdir(scratch);
  const ofVm = (suffix: string): readonly string[] =>
    names.filter(
      (name) =>
        name.endsWith(suffix) && vmPartOfEntry(name.slice(0, -suffix.length)) === vmPathPart(vm),
    );
  for (const name of ofVm(partSuffix)) {
    await cleanUpCapture(join(scratch, name));
    warn(`an earlier capture of ${vm} was killed; the VM was put right, and ${name} removed`);
  }
  const whole = ofVm(storingSuffix);
  for (const name of whole) {
    warn(
      `an earlier upload of ${vm} was killed while it stored ${join(scratch, name)}; that is removed once a newer one is ` +
        'captured, and until then `pars upload --captured` stores it',
    );
  }
  return whole;
}

/**
 * Another VM of the same name may have left it: that stays, and so does what cannot be read or removed. Never fails, as the
 * newer capture would be lost by it.
 */
export async function removeOfSameVm(
  folder: string,
  group: string,
  { warn }: Pick<CommandContext, 'warn'>,
): Promise<void> {
  try {
    if (vmGroup(await readCaptured(folder)) === group) {
      await rm(folder, { recursive: true });
    }
  } catch (error) {
    warn(`an earlier capture stays, remove it yourself: ${messageOf(error)}`);
  }
}

/** Into `folder` with `storingSuffix`, once it is whole. Gives what tells the VM from others, its name among it. */
async function captureInto(
  folder: string,
  vm: string,
  vmId: string | undefined,
  wanted: Omit<CaptureRequest, 'folder'>,
  { warn, signal, onProgress }: CommandContext,
): Promise<string> {
  const part = `${folder}${partSuffix}`;
  await mkdir(part, { mode: 0o700 });
  const capture = await captureVm({ ...wanted, folder: part, signal, onProgress }).catch(
    async (error: unknown) => {
      // Where the VM could not be put right, the folder has what that needs, and stays.
      await rmdir(part).catch(() => undefined);
      throw error;
    },
  );
  if (capture.machinePath === undefined) {
    warn(
      `the QEMU behind ${wanted.qmpPath} could not be told, so a restore will need its command line (--machine)`,
    );
  }
  if (capture.notHeld.length > 0) {
    warn([
      'the snapshot does not hold all that its machine uses of this host, and a resume will need it:',
      capture.notHeld.map(({ path, why }) => `  ${bashQuote(path)}: ${why}`),
    ]);
  }
  const { added, removed } = capture.changedDevices;
  if (added.length + removed.length > 0) {
    warn(
      'the machine is not as its command line has it, so a resume needs one that is (restore --machine): ' +
        [
          ...(added.length > 0 ? [`plugged in since: ${added.join(', ')}`] : []),
          ...(removed.length > 0 ? [`taken out: ${removed.join(', ')}`] : []),
        ].join('; '),
    );
  }
  const identity =
    vmId === undefined
      ? liveIdentity({ uuid: capture.uuid, qmpPath: resolve(wanted.qmpPath) })
      : givenIdentity(vmId);
  const captured = capturedOf({ vm, source: 'qmp', folder: part, capture, identity });
  await writeCaptured(part, captured);
  await rename(part, `${folder}${storingSuffix}`);
  return vmGroup(captured);
}

function printPreview(preview: CapturePreview, { print }: CommandContext): void {
  const { way, passedOver, expectedDowntimeMs, scratchSizeBytes, facts } = preview;
  const { disks, leftOut } = facts;
  print(
    {
      dryRun: true,
      way,
      passedOver,
      expectedDowntimeMs,
      scratchSizeBytes,
      qemuVersion: facts.qemuVersion,
      ramSizeBytes: facts.ramSizeBytes,
      disks,
      leftOut,
    },
    () => [
      `way: ${way}: ${captureWays[way]}`,
      ...passedOver.map(({ way: name, why }) => `not ${name}: ${why}`),
      `expected downtime: about ${expectedDowntimeMs} ms`,
      `scratch: up to ${formatBytes(scratchSizeBytes)}, and what the VM overwrites on its disks meanwhile`,
      ...disks.map(
        ({ name, sourcePath, sourceFormat, sizeBytes }) =>
          `disk ${name}: ${formatBytes(sizeBytes)}, ${sourceFormat}, ${sourcePath}`,
      ),
      ...leftOut.map(({ name, why }) => `without ${name}: ${why}`),
    ],
  );
}
