// What the hook of libvirt does while libvirt waits: it gives the managed save a second name. libvirt removes its own name
// at the VM's next start, and writes to neither; who takes the file into the spool has all the time then.
//
//   SAVE_FOLDER/DOMAIN.save                    libvirt's
//   SAVE_FOLDER/pars/DOMAIN.INODE.TIME.save    ours, until it is in the spool
import { linkSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { diskError } from '../../flow/disk-error.js';
import { isAbsent } from '../../spool/is-absent.js';

/** Of Debian, Fedora and most others. */
export const defaultSaveFolder = '/var/lib/libvirt/qemu/save';

/**
 * The operation of libvirt's hook by which a managed save is complete, the VM's process has ended and its disks are back
 * with their owners; libvirt starts the VM again after the hook only.
 */
export const handOverOperation = 'release';

const ourFolder = 'pars';
const handedOverName = /^(.+)\.\d+\.\d+\.save$/;

/** Paths of all that wait, of this and of earlier runs that were killed. */
export function handOver(domain: string, saveFolder: string): readonly string[] {
  const savePath = join(saveFolder, `${domain}.save`);
  const folder = join(saveFolder, ourFolder);
  try {
    // libvirt has no such names, but this is a path that others may have made up.
    const save = basename(domain) === domain ? saveOf(savePath) : undefined;
    if (save !== undefined) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      linkOnce(savePath, join(folder, `${domain}.${save.ino}.${save.mtimeMs}.save`));
    }
    return waitingIn(folder);
  } catch (error) {
    throw diskError(error, `cannot take over ${savePath}`);
  }
}

/** Undefined for a file that was not handed over. */
export function domainOfHandedOver(path: string): string | undefined {
  return handedOverName.exec(basename(path))?.[1];
}

function saveOf(path: string) {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() === true ? stat : undefined;
}

function linkOnce(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
}

function waitingIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => handedOverName.test(name))
      .map((name) => join(folder, name));
  } catch (error) {
    if (isAbsent(error)) {
      return [];
    }
    throw error;
  }
}
