// The folder that a capture goes into: QEMU must be able to reach it, and all must have room there. Seen to before the VM
// is touched.
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { makeOwnFolder } from '../../host/own-folder.js';
import { streamSocketName } from './guard/guard-protocol.js';
import { expectShortEnough } from './guard/receive-stream.js';
import { qemuUserOf } from './vcpu-threads.js';

/** The files are for nobody but this user to read, and QEMU writes there too. */
function expectSameUser(vcpuThreads: readonly number[], folder: string): void {
  const user = qemuUserOf(vcpuThreads);
  if (user !== undefined && user !== 0 && user !== process.geteuid?.()) {
    throw new ParsError(
      'permission-denied',
      `QEMU runs as user ${user}, which cannot write to ${folder}; nothing was done: run pars as that user too, with a ` +
        'scratch folder and a store that it may write to',
    );
  }
}

/** `vcpuThreads`: of the VM to be captured. Throws `usage`, `permission-denied` and what the file system makes go wrong. */
export function makeFolder(folder: string, vcpuThreads: readonly number[]): void {
  expectShortEnough(join(folder, streamSocketName(0)));
  expectSameUser(vcpuThreads, folder);
  makeOwnFolder(folder, {
    what: 'the folder of the capture',
    remedy: 'name another scratch folder or spool',
  });
}

/** Throws `no-space`. */
export async function expectRoom(folder: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < sizeBytes) {
    throw new ParsError(
      'no-space',
      `${folder} has ${bavail * bsize} bytes free; the RAM and the disks of the VM may take ${sizeBytes}; nothing was done`,
    );
  }
}
