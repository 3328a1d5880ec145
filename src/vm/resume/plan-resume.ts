// The command line that starts a VM from what was restored, made from the one it was saved under.
import { isAbsolute, resolve } from 'node:path';
import { withDiskPath, writableDisks } from '../qemu/disk-images.js';
import { settingOf, settingsOf } from '../qemu/option-value.js';
import type { QemuCommand, QemuOption } from '../qemu/qemu-command.js';
import { type RamFile, useNewRam, useRestoredRam } from '../qemu/shared-ram.js';
import { type PrivateName, usePrivateNames } from './private-names.js';
import { namesPath, type Replacement, replacePaths } from './replace-path.js';
import { type UnnamedUse, unnamedUses } from './unnamed-uses.js';

/** The id of the monitor that loads the state. A VM that was resumed before has it on its command line. */
export const monitorId = 'pars-resume';

/** A disk that was restored with the RAM. */
export interface RestoredDiskFile {
  /** Where the machine had it. */
  readonly sourcePath: string;
  /** The file that it is to use now, in the format that it had. */
  readonly path: string;
  /** Raw unless it is said. */
  readonly format?: string | undefined;
}

export interface ResumeInput {
  readonly command: QemuCommand;
  /** RAM that lies beside the device state; undefined when it is in the stream. */
  readonly ram: RamFile | undefined;
  readonly folder: string;
  readonly replacements: readonly Replacement[];
  /** The restored disk, for a machine that writes to one which no replacement names. */
  readonly diskPath?: string | undefined;
  /** Disks that stand for the paths that they had, wherever no replacement names those. */
  readonly restoredDisks?: readonly RestoredDiskFile[];
  /** Paths that the VM may use as its command line says. */
  readonly namedPaths?: ReadonlySet<string>;
}

export interface ResumePlan {
  /** Without the options that load a state. */
  readonly command: QemuCommand;
  /** The images that the VM will write to. Without `diskPath` among them there was no single one that it could stand for. */
  readonly diskPaths: readonly string[];
  /** Restored disks that the machine now uses. */
  readonly usedDisks: readonly RestoredDiskFile[];
  /** Sockets and logs that lie in the folder now. */
  readonly movedNames: readonly PrivateName[];
  /** What the VM would use of the one that it was saved from. While there is any, it is not to be started. */
  readonly unnamedUses: readonly UnnamedUse[];
}

/** Options that load another state, or keep QEMU from being one process that starts by itself; the pid file is the old VM's. */
const droppedOptions: ReadonlySet<string> = new Set([
  ...['S', 'daemonize', 'incoming', 'loadvm', 'pidfile', 'preconfig'],
]);

/** Throws `usage` when the machine does not fit the RAM or names no path that is to be replaced. */
export function planResume(input: ResumeInput): ResumePlan {
  const { command, ram, folder, diskPath, restoredDisks = [] } = input;
  const { namedPaths = new Set<string>() } = input;
  const kept = command.options.filter((option) => !isDropped(option));
  const usedDisks = restoredDisks.filter(
    ({ sourcePath }) =>
      isReplaceable(kept, sourcePath) &&
      !input.replacements.some(({ oldPath }) => oldPath === sourcePath),
  );
  const replacements = [
    ...input.replacements,
    ...usedDisks.map(({ sourcePath, path }) => ({ oldPath: sourcePath, newPath: path })),
  ];
  const replaced = withFormats(
    replacePaths(kept, replacements),
    new Map(usedDisks.map(({ path, format = 'raw' }) => [path, format])),
  );
  const chosenPaths = new Set(replacements.map(({ newPath }) => newPath));
  const options =
    ram === undefined ? useNewRam(replaced, folder, chosenPaths) : useRestoredRam(replaced, ram);
  const disks = writableDisks(options);
  const takesGivenDisk =
    diskPath !== undefined && disks.length === 1 && !chosenPaths.has(disks[0].path);
  const withDisk = takesGivenDisk
    ? withFormats(withDiskPath(options, disks[0], diskPath), new Map([[diskPath, 'raw']]))
    : options;
  const named = new Set([...chosenPaths, ...namedPaths, ...(takesGivenDisk ? [diskPath] : [])]);
  const { options: own, moved } = usePrivateNames(withDisk, folder, named);
  return {
    command: { program: command.program, options: own },
    diskPaths: takesGivenDisk ? [diskPath] : disks.map(({ path }) => path),
    usedDisks,
    movedNames: moved,
    unnamedUses: unnamedUses(own, (path) => named.has(path) || isBelow(folder, path)),
  };
}

function isBelow(folder: string, path: string): boolean {
  return isAbsolute(path) && resolve(path) === path && path.startsWith(`${folder}/`);
}

/** A drive without a format, on one of these files, gets it: QEMU would guess it from what the guest wrote. */
function withFormats(
  options: readonly QemuOption[],
  formats: ReadonlyMap<string, string>,
): readonly QemuOption[] {
  return options.map((option) => {
    const { name, value = '' } = option;
    const format = name === 'drive' ? formats.get(settingOf(value, 'file') ?? '') : undefined;
    const isSaid = settingsOf(value).some(({ key }) => key === 'format' || key === 'driver');
    return format === undefined || isSaid ? option : { name, value: `${value},format=${format}` };
  });
}

/** A relative path could be meant by any word of the same letters, so it takes a person to say so. */
export function isReplaceable(options: readonly QemuOption[], sourcePath: string): boolean {
  return isAbsolute(sourcePath) && namesPath(options, sourcePath);
}

function isDropped({ name, value }: QemuOption): boolean {
  return (
    droppedOptions.has(name) ||
    (name === 'chardev' && settingOf(value ?? '', 'id') === monitorId) ||
    (name === 'mon' && settingOf(value ?? '', 'chardev') === monitorId)
  );
}
