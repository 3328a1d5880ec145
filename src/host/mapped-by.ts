// Which processes have a file mapped, shared and for writing: what they write is in it at once, and no time of the file's
// tells. (Linux Documentation/filesystems/proc.rst, /proc/PID/maps)
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';

/** ADDRESS rw-s OFFSET MAJOR:MINOR INODE PATH */
const sharedForWriting = /^\S+ .w.s \S+ (\S+) (\d+) +(.*)$/gm;

/** The processes that have the file mapped so, by pid, among those that we may look into: root's view is whole. */
export function writersOf(path: string): readonly number[] {
  const file = fileAt(path);
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && hasMapped(pid, file));
}

/** Whether that process is one of them. */
export function isWriterOf(pid: number, path: string): boolean {
  return hasMapped(pid, fileAt(path));
}

interface File {
  readonly path: string;
  readonly inode: string;
  /** As the kernel writes it: 08:01. */
  readonly device: string;
}

function fileAt(path: string): File {
  const real = realpathSync(path);
  const { ino, dev } = statSync(real);
  return { path: real, inode: String(ino), device: deviceText(dev) };
}

function hasMapped(pid: number, file: File): boolean {
  return [...mapsOf(pid).matchAll(sharedForWriting)].some(
    // Some file systems have other devices in there than stat tells.
    ([, device, inode, path]) =>
      inode === file.inode && (device === file.device || path === file.path),
  );
}

/** (Linux include/linux/kdev_t.h) */
function deviceText(dev: number): string {
  const major = Math.floor(dev / 2 ** 8) & 0xfff;
  const minor = (dev & 0xff) | (Math.floor(dev / 2 ** 12) & 0xfff00);
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `${hex(major)}:${hex(minor)}`;
}

/** Empty for a process that has ended, or that we may not look into. */
function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return '';
  }
}
