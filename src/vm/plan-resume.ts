// The command line that starts a VM from what was restored, made from the one it was saved under.
import { writableDisks, withDiskPath } from './disk-images.js';
import { settingOf } from './option-value.js';
import type { QemuCommand, QemuOption } from './qemu-command.js';
import { type Replacement, replacePaths } from './replace-path.js';
import { type RamFile, useNewRam, useRestoredRam } from './shared-ram.js';

/** Of the monitor that loads the state. A VM that was resumed before has it on its command line. */
export const monitorId = 'pars-resume';

export interface ResumeInput {
  readonly command: QemuCommand;
  /** RAM that lies beside the device state; undefined when it is in the stream. */
  readonly ram: RamFile | undefined;
  readonly folder: string;
  readonly replacements: readonly Replacement[];
  /** The restored disk, for a machine that writes to one which no replacement names. */
  readonly diskPath?: string | undefined;
}

export interface ResumePlan {
  /** Without the options that load a state. */
  readonly command: QemuCommand;
  /** The images that the VM will write to. Without `diskPath` among them there was no single one that it could stand for. */
  readonly diskPaths: readonly string[];
}

/** They load another state, or keep QEMU from being one process that starts by itself; the pid file is the old VM's. */
const droppedOptions: ReadonlySet<string> = new Set([
  ...['S', 'daemonize', 'incoming', 'loadvm', 'pidfile', 'preconfig'],
]);

/** Throws `usage` when the machine does not fit the RAM or names no path that is to be replaced. */
export function planResume(input: ResumeInput): ResumePlan {
  const { command, ram, folder, replacements, diskPath } = input;
  const replaced = replacePaths(
    command.options.filter((option) => !isDropped(option)),
    replacements,
  );
  const chosenPaths = new Set(replacements.map(({ newPath }) => newPath));
  const options =
    ram === undefined ? useNewRam(replaced, folder, chosenPaths) : useRestoredRam(replaced, ram);
  const { program } = command;
  const disks = writableDisks(options);
  if (diskPath === undefined || disks.length !== 1 || chosenPaths.has(disks[0].path)) {
    return { command: { program, options }, diskPaths: disks.map(({ path }) => path) };
  }
  return {
    command: { program, options: withDiskPath(options, disks[0], diskPath) },
    diskPaths: [diskPath],
  };
}

function isDropped({ name, value }: QemuOption): boolean {
  return (
    droppedOptions.has(name) ||
    (name === 'chardev' && settingOf(value ?? '', 'id') === monitorId) ||
    (name === 'mon' && settingOf(value ?? '', 'chardev') === monitorId)
  );
}
