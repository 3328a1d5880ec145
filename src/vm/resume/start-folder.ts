// The folder that a QEMU was started in, which relative paths of its command line are below. A daemon has left it since
// (`-daemonize` goes to /), but holds its images open, and these say where they lie.
import { readdirSync, readlinkSync } from 'node:fs';

/** A guest has some hundred; more are not looked at. */
const descriptorLimit = 65_536;

/** `relativePaths`: of images, as QEMU says them. Undefined when it cannot be told, as of another user's process. */
export function startFolderOf(pid: number, relativePaths: readonly string[]): string | undefined {
  try {
    const folder = `/proc/${pid}/fd`;
    const opened = readdirSync(folder)
      .slice(0, descriptorLimit)
      .map((name) => linkOf(`${folder}/${name}`));
    return folderByFiles(opened, relativePaths) ?? notRoot(readlinkSync(`/proc/${pid}/cwd`));
  } catch {
    return undefined;
  }
}

/**
 * The folder from which the relative paths lead to open files; undefined where there is none, or more than one folder would
 * do.
 */
export function folderByFiles(
  opened: readonly string[],
  relativePaths: readonly string[],
): string | undefined {
  const folders = new Set(
    relativePaths.flatMap((path) => {
      const end = `/${path.replace(/^(?:\.\/)+/, '')}`;
      return opened.filter((file) => file.endsWith(end)).map((file) => file.slice(0, -end.length));
    }),
  );
  const [folder] = folders;
  return folders.size === 1 ? (folder === '' ? '/' : folder) : undefined;
}

function notRoot(folder: string): string | undefined {
  return folder === '/' ? undefined : folder;
}

/** Empty for one that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
