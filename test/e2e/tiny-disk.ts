// A file system of a few MiB that is quickly full: a tmpfs of its own, for root alone.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

export const canMount = process.getuid?.() === 0;

const mounted = new Set<string>();
let installed = false;

/** Mounts at `folder`, which is made. Gives what unmounts it; that happens at the latest when the process ends. */
export function mountTinyDisk(folder: string, sizeMib: number): () => void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=0700`, 'pars-e2e', folder]);
  mounted.add(folder);
  if (!installed) {
    installed = true;
    process.once('exit', () => {
      mounted.forEach(unmount);
    });
  }
  return () => {
    unmount(folder);
  };
}

function unmount(folder: string): void {
  if (mounted.delete(folder)) {
    execFileSync('umount', ['--lazy', folder]);
  }
}
