// Frees a VM whose memory a background snapshot left write-protected. QEMU before 8.1 leaves it so when the snapshot breaks
// off: it forgets the descriptor by which the kernel was told to protect the memory (userfaultfd), and whoever writes waits
// for ever. The kernel takes the protection off when that descriptor is closed, and QEMU closes the descriptor of a network
// backend that turns out to be no socket. (QEMU net/socket.c, net_socket_fd_init; Linux fs/userfaultfd.c)
//
// This goes as long as QEMU answers. Where it hangs as well, the protection is taken off from outside first
// (protected-memory.ts); where that may not be, nothing helps that VM but to end it. All this is for when the guard was
// killed; else the snapshot does not break off (receive-stream.ts).
import { z } from 'zod';
import { ParsError } from '../../../../introspect/pars-error.js';
import { askQmp } from '../../qmp/ask-qmp.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import { QmpCommandError } from '../../qmp/qmp-command-error.js';
import { ownPrefix } from '../own-names.js';
import { protectingDescriptors } from './protected-memory.js';

const versionSchema = z.object({ qemu: z.object({ major: z.int(), minor: z.int() }) });

/** After a background snapshot of ours that failed, with no migration under way: then any such descriptor is a forgotten one. */
export async function unprotectMemory(qmp: QmpClient, pid: number | undefined): Promise<void> {
  const { major, minor } = (await askQmp(qmp, 'query-version', versionSchema)).qemu;
  if (major > 8 || (major === 8 && minor >= 1)) {
    return;
  }
  for (const descriptor of descriptorsOf(pid)) {
    await qmp
      .execute('netdev_add', { type: 'socket', id: `${ownPrefix}close`, fd: descriptor })
      .catch((error: unknown) => {
        if (!(error instanceof QmpCommandError)) {
          throw error;
        }
      });
  }
  const left = descriptorsOf(pid);
  if (left.length > 0) {
    throw new ParsError(
      'unavailable',
      `the memory of the VM is write-protected since a background snapshot broke off, and QEMU (process ${pid ?? 0}) ` +
        `keeps its descriptor ${left.join(' ')} open: the VM hangs until QEMU is ended`,
    );
  }
}

function descriptorsOf(pid: number | undefined): readonly string[] {
  try {
    return protectingDescriptors(pid ?? 0);
  } catch (error) {
    throw new ParsError(
      'permission-denied',
      "a background snapshot broke off, and whether it left the VM's memory write-protected cannot be seen: " +
        'QEMU is not a process of this user here; run this as root on its host',
      { cause: error },
    );
  }
}
