// Files of the host that any machine may have, as they hold nothing of the host's own: firmware and the like from packages,
// which it reads, and devices that give random numbers or memory.
import { isAbsolute, normalize } from 'node:path';

const packageFolder = '/usr/share/';
const harmlessDevices: ReadonlySet<string> = new Set([
  ...['/dev/urandom', '/dev/random', '/dev/null', '/dev/zero'],
]);
const memoryFolders: ReadonlySet<string> = new Set(['/dev/shm', '/dev/hugepages']);

/** To be read and never written. */
export function isPackageFile(path: string): boolean {
  return path.startsWith(packageFolder) && normalize(path) === path;
}

export function isHarmlessDevice(path: string): boolean {
  return harmlessDevices.has(path);
}

/** QEMU makes a file without a name in it. */
export function isMemoryFolder(path: string): boolean {
  return memoryFolders.has(path);
}

const programName = /^(?:qemu-system-[a-z0-9_]{1,32}|qemu-kvm|kvm)$/;
const programFolders: ReadonlySet<string> = new Set([
  ...['/usr/bin', '/bin', '/usr/local/bin', '/usr/libexec', '/usr/lib/qemu', '/usr/lib/xen/bin'],
]);

/** QEMU by its name, where the host itself finds it or packages put it, or at a path that was named. */
export function isQemuProgram(program: string, named: ReadonlySet<string>): boolean {
  const at = program.lastIndexOf('/');
  const folder = program.slice(0, at);
  return (
    programName.test(program.slice(at + 1)) &&
    (at < 0 || programFolders.has(folder) || (isAbsolute(program) && named.has(program)))
  );
}
