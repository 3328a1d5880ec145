// A machine's command line as its running process has it, with the paths that it meant.
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ParsError } from '../../introspect/pars-error.js';
import { parseQemuCommand, type QemuCommand } from './qemu/qemu-command.js';
import { commandAsJson, withAbsolutePaths } from './resume/absolute-paths.js';
import { startFolderOf } from './resume/start-folder.js';
import { hostPathsIn } from './trust/host-paths.js';

export interface ProcessMachine {
  /** As a snapshot keeps them: the words themselves where no path was relative. */
  readonly bytes: Uint8Array;
  /** Undefined for a command line that cannot be read. */
  readonly command: QemuCommand | undefined;
  /** Undefined where nothing tells. */
  readonly startFolder: string | undefined;
}

/** `bytes`: of its /proc/PID/cmdline. */
export function machineOfProcess(pid: number, bytes: Uint8Array): ProcessMachine {
  const command = commandIn(bytes);
  if (command === undefined) {
    return { bytes, command, startFolder: undefined };
  }
  const images = hostPathsIn(command.options)
    .filter(({ path, use }) => use === 'image' && !isAbsolute(path))
    .map(({ path }) => path);
  const startFolder = startFolderOf(pid, images);
  if (startFolder === undefined) {
    return { bytes, command, startFolder };
  }
  const absolute = withAbsolutePaths(command, startFolder, existsSync);
  const isChanged =
    absolute.program !== command.program ||
    absolute.options.some((option, index) => option !== command.options[index]);
  return { bytes: isChanged ? commandAsJson(absolute) : bytes, command: absolute, startFolder };
}

/** The VM is saved all the same, and a restore says what is wrong with it. */
function commandIn(bytes: Uint8Array): QemuCommand | undefined {
  try {
    return parseQemuCommand(bytes, 'of the VM');
  } catch (error) {
    if (error instanceof ParsError) {
      return undefined;
    }
    throw error;
  }
}
