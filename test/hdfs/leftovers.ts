// What must be gone when the test process is: child processes and temporary folders.
//
// `close()` is the ordinary way. This is for the others: a failed test, process.exit, Ctrl-C, a terminating signal. Only
// SIGKILL of the test process leaves folders behind; its children die even then (see daemon.ts).

import { rmSync } from 'node:fs';

const pids = new Set<number>();
const folders = new Set<string>();
let installed = false;

export function trackProcess(pid: number): void {
  install();
  pids.add(pid);
}

/** To be called once the process is known to have ended: its pid may be given to another. */
export function forgetProcess(pid: number): void {
  pids.delete(pid);
}

export function trackFolder(folder: string): void {
  install();
  folders.add(folder);
}

export function forgetFolder(folder: string): void {
  folders.delete(folder);
}

function install(): void {
  if (installed) {
    return;
  }
  installed = true;
  process.once('exit', removeAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      removeAll();
      // The handler is gone (once): the signal now ends the process as it would have without us.
      process.kill(process.pid, signal);
    });
  }
}

function removeAll(): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  // A daemon killed a moment ago may still finish one write.
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
