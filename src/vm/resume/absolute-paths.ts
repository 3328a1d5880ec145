// A command line whose paths mean the same in every folder: relative ones are those of the folder that QEMU was started in.
import { isAbsolute, resolve } from 'node:path';
import { optionWords, type QemuCommand } from '../qemu/qemu-command.js';
import { mapHostPaths } from '../trust/host-paths.js';

/**
 * `exists`: whether there is something at an absolute path. What is not there stays as it is, since QEMU looks for some
 * files (firmware) in folders of its own.
 */
export function withAbsolutePaths(
  { program, options }: QemuCommand,
  folder: string,
  exists: (path: string) => boolean,
): QemuCommand {
  const absolute = (path: string): string => {
    const whole = resolve(folder, path);
    return isAbsolute(path) || !exists(whole) ? path : whole;
  };
  return {
    // Without a slash it is looked for in PATH.
    program: program.includes('/') ? absolute(program) : program,
    options: mapHostPaths(options, ({ path }) => absolute(path)),
  };
}

/** As `--machine` takes it. */
export function commandAsJson({ program, options }: QemuCommand): Uint8Array {
  return Buffer.from(JSON.stringify([program, ...options.flatMap(optionWords)]));
}
