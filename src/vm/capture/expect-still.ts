// A file that a running VM has as its RAM is of no one moment. What has it mapped for writing is looked for; where that is a
// QEMU, its monitor says whether the VM stands still.
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import { writersOf } from '../../host/mapped-by.js';
import { machineOfProcess } from '../process-machine.js';
import { settingOf } from '../qemu/option-value.js';
import type { QemuOption } from '../qemu/qemu-command.js';
import { askQmp } from '../qmp/ask-qmp.js';
import { QmpClient } from '../qmp/qmp-client.js';
import { hostPathsIn } from '../trust/host-paths.js';

/** RunState of a VM whose CPUs do not run. (QEMU qapi/run-state.json) */
const standingStates: ReadonlySet<string> = new Set([
  ...['paused', 'postmigrate', 'prelaunch', 'shutdown', 'suspended', 'save-vm', 'internal-error'],
  ...['io-error', 'guest-panicked', 'watchdog', 'finish-migrate'],
]);
const statusSchema = z.object({ status: z.string() });

/**
 * Throws `usage` when a process has the file mapped for writing, unless its monitor says that the VM stands still; and when
 * nobody can say, unless `isTold`: whoever asks says that it does.
 */
export async function expectStandsStill(imagePath: string, isTold: boolean): Promise<void> {
  if (statSync(imagePath, { throwIfNoEntry: false })?.isFile() !== true) {
    return;
  }
  for (const pid of writersOf(imagePath)) {
    const state = await stateOf(pid);
    if (state.status !== undefined && standingStates.has(state.status)) {
      continue;
    }
    if (state.status !== undefined) {
      throw new ParsError(
        'usage',
        `${imagePath} is the RAM of a VM that is ${state.status} (process ${pid}), so its pages are of many moments: ` +
          `\`pars upload --qmp ${state.monitor}\` takes the VM as it runs; or stop it first`,
      );
    }
    if (!isTold) {
      throw new ParsError(
        'usage',
        `${imagePath} is mapped for writing by process ${pid}, so its pages may be of many moments, and no monitor of it ` +
          'answers: `pars upload --qmp SOCKET` takes a VM as it runs; --stands-still says that this one was stopped',
      );
    }
  }
}

async function stateOf(
  pid: number,
): Promise<{ readonly status: string; readonly monitor: string } | { readonly status: undefined }> {
  for (const monitor of monitorsOf(pid)) {
    try {
      const qmp = await QmpClient.connect(monitor);
      try {
        const { status } = await askQmp(qmp, 'query-status', statusSchema);
        return { status, monitor };
      } finally {
        qmp.close();
      }
    } catch (error) {
      // Another client may hold this one.
      if (!(error instanceof ParsError)) {
        throw error;
      }
    }
  }
  return { status: undefined };
}

function monitorsOf(pid: number): readonly string[] {
  try {
    const bytes = readFileSync(`/proc/${pid}/cmdline`);
    return qmpSocketsIn(machineOfProcess(pid, bytes).command?.options ?? []);
  } catch {
    return [];
  }
}

/** Where these options let QEMU be asked by QMP. */
export function qmpSocketsIn(options: readonly QemuOption[]): readonly string[] {
  const ids = options.flatMap(({ name, value = '' }) =>
    name === 'mon' && settingOf(value, 'mode') === 'control'
      ? (settingOf(value, 'chardev') ?? settingOf(value, '') ?? [])
      : [],
  );
  return hostPathsIn(options).flatMap(({ path, use, option: { name, value = '' } }) => {
    const isMonitor =
      name === 'qmp' ||
      name === 'qmp-pretty' ||
      (name === 'chardev' && ids.includes(settingOf(value, 'id') ?? ''));
    return use === 'server' && isMonitor && path.startsWith('/') ? [path] : [];
  });
}
