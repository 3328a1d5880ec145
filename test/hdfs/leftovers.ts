// What must be gone when the test process is: child processes and temporary folders.
//
// `close()` is the ordinary way. This is for the others: a failed test, process.exit, Ctrl-C, a terminating signal. Only
// SIGKILL of the test process leaves folders behind; its children die even then (see daemon.ts).

import { rmSync } from 'node:fs';

const pids = new Set<number>();
const folders = new Set<string>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let isInstalled = false;

export function trackProcess(pid: number): void {
  install();
  pids.add(pid);
}

/** To be called once the process is known to have ended: its pid may be given to another. */
export function forgetProcess(pid: number): void {
  pids.delete(pid);
  uninstallWhenEmpty();
}

export function trackFolder(folder: string): void {
  install();
  folders.add(folder);
}

export function forgetFolder(folder: string): void {
  folders.delete(folder);
  uninstallWhenEmpty();
}

function install(): void {
  if (isInstalled) {
    return;
  }
  isInstalled = true;
  process.on('exit', removeAll);
  for (const signal of signals) {
    process.on(signal, endBy);
  }
}

/** With a handler a process outlives a signal for moments, in which a worker of Jest begins its next test file. */
function uninstallWhenEmpty(): void {
  if (!isInstalled || pids.size > 0 || folders.size > 0) {
    return;
  }
  isInstalled = false;
  process.off('exit', removeAll);
  for (const signal of signals) {
    process.off(signal, endBy);
  }
}

function endBy(signal: NodeJS.Signals): void {
  removeAll();
  // Without the handler the signal ends the process as it would have without us.
  process.off(signal, endBy);
  process.kill(process.pid, signal);
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
