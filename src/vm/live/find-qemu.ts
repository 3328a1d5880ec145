// Which process listens on a unix socket, for its command line: QMP does not tell it. (Linux Documentation/filesystems/proc.rst)
import { readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface QemuProcess {
  readonly pid: number;
  /** Words that each end in a NUL byte, as `--machine` takes them. */
  readonly commandLine: Uint8Array;
}

/** Flags of a socket that listens, in /proc/net/unix. (Linux include/uapi/linux/net.h, SO_ACCEPTCON) */
const listening = '00010000';

/** Undefined when it cannot be told: another user's process, or another program in between, such as a proxy. */
export function findQemu(socketPath: string): QemuProcess | undefined {
  const inode = listeningInode(socketPath);
  if (inode === undefined) {
    return undefined;
  }
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && hasSocket(pid, inode)) {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`);
      const program = basename(commandLine.subarray(0, commandLine.indexOf(0)).toString());
      if (/qemu|kvm/i.test(program)) {
        return { pid, commandLine };
      }
    }
  }
  return undefined;
}

function listeningInode(socketPath: string): string | undefined {
  const paths = new Set([socketPath, realPath(socketPath)]);
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    // Num RefCount Protocol Flags Type St Inode Path
    const fields = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.+)$/.exec(line);
    if (fields?.[1] === listening && paths.has(fields[3])) {
      return fields[2];
    }
  }
  return undefined;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function hasSocket(pid: number, inode: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(join(folder, fd)) === `socket:[${inode}]`;
      } catch {
        return false;
      }
    });
  } catch {
    // Another user's, or it has ended.
    return false;
  }
}
