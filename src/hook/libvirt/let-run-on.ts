// After a snapshot that failed: libvirt may still be at it, and the VM may stand still.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../flow/message-of.js';
import type { HookLog } from '../observe/log.js';
import type { Virsh } from './virsh.js';

/** libvirt sets a VM running again by itself when it gives up. */
const patienceMs = 30_000;
const lookAgainMs = 250;

/** `memoryPath`: where the snapshot's memory was to go. Never throws: the failure itself is told by the caller. */
export async function letRunOn(
  virsh: Virsh,
  vm: string,
  memoryPath: string,
  log: HookLog,
): Promise<void> {
  try {
    // libvirt makes the file once it has the VM to itself, and removes it when it fails. Without it, what libvirt does
    // to the VM is somebody else's.
    if (existsSync(memoryPath)) {
      await virsh.abortJob().catch(() => undefined);
    }
    const endMs = performance.now() + patienceMs;
    // Until it is done, an overlay may still come.
    while ((await virsh.hasJob()) || (await standsStill(virsh))) {
      if (performance.now() > endMs) {
        break;
      }
      await sleep(lookAgainMs);
    }
    if (await standsStill(virsh)) {
      await virsh.resume();
      log.warn('the VM stood still after a snapshot that failed, and was set running', { vm });
    }
  } catch (error) {
    log.error('cannot tell whether the VM runs after a snapshot that failed; look at it', {
      vm,
      error: messageOf(error),
    });
  }
}

/** Not by the will of a user. */
async function standsStill(virsh: Virsh): Promise<boolean> {
  const state = await virsh.state();
  return state.startsWith('paused') && state !== 'paused (user)';
}
