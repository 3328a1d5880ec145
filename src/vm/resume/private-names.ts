// What a resumed VM makes on its host, sockets and logs, lies in the folder that it was restored to: the VM that it was
// saved from may still be running, with the same command line.
import { basename, join } from 'node:path';
import type { QemuOption } from '../qemu/qemu-command.js';
import { type HostPath, mapHostPaths } from '../trust/host-paths.js';

/** Below the restore's folder. */
export const privateFolderName = 'vm';
/** The longest path of a socket, with the NUL byte at its end. (UNIX_PATH_MAX of Linux include/uapi/linux/un.h) */
const socketPathLimitBytes = 108;
const longestNameBytes = 64;

export interface PrivateName {
  readonly oldPath: string;
  readonly newPath: string;
}

export interface PrivateNames {
  readonly options: readonly QemuOption[];
  readonly moved: readonly PrivateName[];
}

/**
 * `chosen`: paths that whoever resumes the VM has named; they stay. QEMU must be started in `folder`, as a socket whose path
 * would be too long gets one that is relative to it.
 */
export function usePrivateNames(
  options: readonly QemuOption[],
  folder: string,
  chosen: ReadonlySet<string>,
): PrivateNames {
  const moved = new Map<string, string>();
  const changed = mapHostPaths(options, ({ path, use }) => {
    if ((use !== 'server' && use !== 'output') || chosen.has(path)) {
      return path;
    }
    const newPath = moved.get(path) ?? privatePath(folder, path, use, moved.size);
    moved.set(path, newPath);
    return newPath;
  });
  return {
    options: changed,
    moved: [...moved].map(([oldPath, newPath]) => ({ oldPath, newPath })),
  };
}

/** With a number, so that two of one name in two folders stay two. */
function privatePath(folder: string, path: string, use: HostPath['use'], number: number): string {
  const name = basename(path)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(-longestNameBytes);
  const relative = join(privateFolderName, `${number + 1}-${name}`);
  const whole = join(folder, relative);
  return use === 'server' && Buffer.byteLength(whole) >= socketPathLimitBytes ? relative : whole;
}
