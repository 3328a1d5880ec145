// QEMU's one NBD server, which a capture has for the time that it reads disks. QEMU does not tell whether it runs, nor
// whose it is: ours listens in the capture's folder.
import { connect } from 'node:net';
import { join } from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import { QmpCommandError } from '../../qmp/qmp-command-error.js';

export const nbdSocketName = 'nbd.sock';

/** Throws `unavailable` when somebody else has it. */
export async function startNbdServer(qmp: QmpClient, folder: string): Promise<void> {
  try {
    await qmp.execute('nbd-server-start', {
      addr: { type: 'unix', data: { path: join(folder, nbdSocketName) } },
    });
  } catch (error) {
    if (error instanceof QmpCommandError && error.description.includes('already')) {
      throw new ParsError(
        'unavailable',
        "QEMU's NBD server is in use already, by a backup perhaps, and the disks are read through it; nothing was done: " +
          'try again when it has ended, or leave the disks out (--without-disks)',
        { cause: error },
      );
    }
    throw error;
  }
}

export async function isNbdServerOurs(folder: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(join(folder, nbdSocketName));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
