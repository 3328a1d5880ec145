// The host's threads that are a VM's vCPUs, as QEMU names them. By them its process is known whatever stands between,
// such as a proxy; and since they take no CPU time while the VM stands still, whether it has run.
// (QEMU qapi/machine.json, query-cpus-fast; Linux Documentation/filesystems/proc.rst)
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { askQmp } from '../qmp/ask-qmp.js';
import type { QmpClient } from '../qmp/qmp-client.js';

const cpusSchema = z.array(z.object({ 'thread-id': z.int().min(0) })).min(1);

/** A clock tick of /proc, always a hundredth of a second. */
const msPerTick = 10;

export async function readVcpuThreads(qmp: QmpClient): Promise<readonly number[]> {
  const cpus = await askQmp(qmp, 'query-cpus-fast', cpusSchema);
  return [...new Set(cpus.map((cpu) => cpu['thread-id']))];
}

/** The CPU time of all `threads` together, in milliseconds; undefined when they are not to be seen from here. */
export function vcpuTimeMs(threads: readonly number[]): number | undefined {
  try {
    return threads.reduce((sum, thread) => {
      const stat = readFileSync(`/proc/${thread}/stat`, 'latin1');
      // The name in brackets may hold anything: what follows it is counted.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) * msPerTick;
    }, 0);
  } catch {
    return undefined;
  }
}

/** Undefined when it is not to be seen from here. */
export function qemuPidOf([thread]: readonly number[]): number | undefined {
  const pid = processOf(thread);
  return pid !== undefined && isQemu(pid) ? pid : undefined;
}

/** The id of the process that a thread is of; undefined when it is not to be seen from here. */
export function processOf(thread: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${thread}/status`, 'latin1');
    const pid = Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1]);
    return Number.isInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The number of the user as whom QEMU opens files; undefined when it is not to be seen from here. */
export function qemuUserOf([thread]: readonly number[]): number | undefined {
  try {
    const status = readFileSync(`/proc/${thread}/status`, 'latin1');
    // Real, effective, saved, of the file system.
    const user = /^Uid:\s+\d+\s+\d+\s+\d+\s+(\d+)$/m.exec(status)?.[1];
    return user === undefined ? undefined : Number(user);
  } catch {
    return undefined;
  }
}

/** Whether that process is there, and a QEMU. */
export function isQemu(pid: number): boolean {
  try {
    const program = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0];
    return /qemu|kvm/i.test(basename(program));
  } catch {
    return false;
  }
}
