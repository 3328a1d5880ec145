// Which process listens on a unix socket, for its command line: QMP does not tell it.
import { readFileSync } from 'node:fs';
import { listenersOf } from '../../host/socket-peer.js';
import { isQemu } from './vcpu-threads.js';

export interface QemuProcess {
  readonly pid: number;
  /** Words that each end in a NUL byte, as `--machine` takes them. */
  readonly commandLine: Uint8Array;
}

/**
 * `vcpuPid`: of the threads that QEMU says are its CPUs, which tells several listeners apart. Undefined when it cannot be
 * told: another user's process, or another program in between, such as a proxy.
 */
export function findQemu(socketPath: string, vcpuPid?: number): QemuProcess | undefined {
  const listeners = listenersOf(socketPath).filter(isQemu);
  const pid = listeners.find((listener) => listener === vcpuPid) ?? onlyOne(listeners);
  return pid === undefined ? undefined : { pid, commandLine: readFileSync(`/proc/${pid}/cmdline`) };
}

function onlyOne(pids: readonly number[]): number | undefined {
  return pids.length === 1 ? pids[0] : undefined;
}
