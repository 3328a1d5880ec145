// Which process listens on a unix socket, for its command line: QMP does not tell it.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { listenersOf } from '../../host/socket-peer.js';

export interface QemuProcess {
  readonly pid: number;
  /** Words that each end in a NUL byte, as `--machine` takes them. */
  readonly commandLine: Uint8Array;
}

/** Undefined when it cannot be told: another user's process, or another program in between, such as a proxy. */
export function findQemu(socketPath: string): QemuProcess | undefined {
  for (const pid of listenersOf(socketPath)) {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`);
    const program = basename(commandLine.subarray(0, commandLine.indexOf(0)).toString());
    if (/qemu|kvm/i.test(program)) {
      return { pid, commandLine };
    }
  }
  return undefined;
}
