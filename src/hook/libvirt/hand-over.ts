// What the hook of libvirt does while libvirt waits: it gives the managed save a second name. libvirt removes its own name
// at the VM's next start, and writes to neither; who takes the file into the spool has all the time then.
//
//   SAVE_FOLDER/DOMAIN.save                    libvirt's
//   SAVE_FOLDER/pars/DOMAIN.INODE.TIME.save    ours, until it is in the spool
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  unlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { userWords } from '../../host/accounts.js';
import { diskError } from '../../host/disk-error.js';
import { openGivenFolder } from '../../host/given-file.js';
import { isTrustedUser, isWritableByOthers } from '../../host/ownership.js';
import { nameIn, openName, pathOfOpen } from '../../host/walk-path.js';
import { isAbsent } from '../../spool/is-absent.js';

/** Where Debian, Fedora and most others have managed saves. */
export const defaultSaveFolder = '/var/lib/libvirt/qemu/save';

/**
 * The operation of libvirt's hook by which a managed save is complete, the VM's process has ended and its disks are back
 * with their owners; libvirt starts the VM again after the hook only.
 */
export const handOverOperation = 'release';

const ourFolder = 'pars';
const use = { what: 'the folder of saves', remedy: 'name another with --save-folder DIR' };
const handedOverName = /^(.+)\.\d+\.\d+\.save$/;

/** Paths of all that wait, of this and of earlier runs that were killed. */
export function handOver(domain: string, saveFolder: string): readonly string[] {
  const savePath = join(saveFolder, `${domain}.save`);
  let saveFd: number | undefined;
  let ourFd: number | undefined;
  try {
    // It is QEMU's user's on most hosts; what is ours in it is not, and he may rename both.
    saveFd = openGivenFolder(saveFolder, use);
    // libvirt has no such names, but this is a path that others may have made up.
    const save = basename(domain) === domain ? saveOf(nameIn(saveFd, `${domain}.save`)) : undefined;
    ourFd = openOurs(saveFd, join(saveFolder, ourFolder), save !== undefined);
    if (ourFd === undefined) {
      return [];
    }
    if (save !== undefined) {
      const name = `${domain}.${save.ino}.${save.mtimeMs}.save`;
      linkOnce(nameIn(saveFd, `${domain}.save`), nameIn(ourFd, name), save);
    }
    return readdirSync(pathOfOpen(ourFd))
      .filter((name) => handedOverName.test(name))
      .map((name) => join(saveFolder, ourFolder, name));
  } catch (error) {
    if (error instanceof ParsError && error.code === 'not-found') {
      return [];
    }
    throw error instanceof ParsError ? error : diskError(error, `cannot take over ${savePath}`);
  } finally {
    for (const fd of [saveFd, ourFd]) {
      if (fd !== undefined) {
        closeSync(fd);
      }
    }
  }
}

/** Undefined for a file that was not handed over. */
export function domainOfHandedOver(path: string): string | undefined {
  return handedOverName.exec(basename(path))?.[1];
}

/** A link is no save of libvirt's. */
function saveOf(path: string) {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() === true ? stat : undefined;
}

/** Undefined when there is none, and none is wanted. */
function openOurs(saveFd: number, path: string, isWanted: boolean): number | undefined {
  if (isWanted) {
    try {
      mkdirSync(nameIn(saveFd, ourFolder), { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
  }
  let fd: number;
  try {
    fd = openName(saveFd, ourFolder);
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw error;
  }
  const stats = fstatSync(fd);
  if (stats.isDirectory() && isTrustedUser(stats.uid) && !isWritableByOthers(stats)) {
    return fd;
  }
  closeSync(fd);
  throw new ParsError(
    'permission-denied',
    `${path} is not a folder of this user's alone (it belongs to ${userWords(stats.uid)}), so no save is put there: remove it`,
  );
}

function linkOnce(from: string, to: string, { dev, ino }: BigIntStats): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
  const linked = lstatSync(to, { bigint: true });
  if (linked.dev !== dev || linked.ino !== ino) {
    unlinkSync(to);
    throw new ParsError('image-invalid', 'the save was replaced while it was taken over');
  }
}
