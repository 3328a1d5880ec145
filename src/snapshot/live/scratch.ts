// The scratch folder that running VMs are captured into before they are stored, and what killed uploads have left there.
//
//   VM.IDENTITY.part/      a capture under way
//   VM.IDENTITY.storing/   a whole one that is being stored
//   VM.IDENTITY/           a whole one that could not be stored, and is kept
//
// A folder of the first two kinds was left by a killed process when nobody has the VM's lock.
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { messageOf } from '../../flow/message-of.js';
import { makeOwnFolder, makeOwnFolderIn } from '../../host/own-folder.js';
import { readCaptured, vmGroup } from '../../spool/captured.js';
import { vmPartOfEntry, vmPathPart } from '../../spool/layout.js';
import { type Lock, tryLock } from '../../spool/lock.js';
import { cleanUpCapture } from '../../vm/capture/clean-up/clean-up-capture.js';

/** The folder for everybody's large files (hier(7)), and the name that ours has in it. */
const sharedScratch = '/var/tmp';
const scratchName = 'pars';
const scratchUse = { what: 'the scratch folder', remedy: 'name another with --scratch DIR' };

export const partSuffix = '.part';
export const storingSuffix = '.storing';

type Warn = (sentence: string) => void;

/** Guest memory goes there: it is nobody else's. */
export function makeScratch(stated: string | undefined, warn: Warn): string {
  if (stated !== undefined) {
    return makeOwnFolder(resolve(stated), scratchUse);
  }
  const { path, takenBy } = makeOwnFolderIn(sharedScratch, scratchName, scratchUse);
  if (takenBy !== undefined) {
    warn(`${join(sharedScratch, scratchName)} belongs to ${takenBy}, so ${path} is used instead`);
  }
  return path;
}

/** Throws `unavailable` when another process has it. */
export async function lockVm(scratch: string, vm: string): Promise<Lock> {
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
export async function cleanUpLeftovers(
  scratch: string,
  vm: string,
  warn: Warn,
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
export async function removeOfSameVm(folder: string, group: string, warn: Warn): Promise<void> {
  try {
    if (vmGroup(await readCaptured(folder)) === group) {
      await rm(folder, { recursive: true });
    }
  } catch (error) {
    warn(`an earlier capture stays, remove it yourself: ${messageOf(error)}`);
  }
}
