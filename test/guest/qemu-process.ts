// Starts QEMU and sees to it that none outlives the tests: killed by its pid on
// close, when this process exits or is interrupted, and by the kernel when this
// process is killed outright. The working folder goes with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const STDERR_TAIL_CHARACTERS = 2000;
const FATAL_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const running = new Set<QemuProcess>();
let watching = false;

export class QemuProcess {
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;

  /** Takes `folder` over: it is removed when the process ends. `cwd`: where relative paths begin. */
  constructor(folder: string, qemuArguments: readonly string[], cwd?: string) {
    this.folder = folder;
    const stderr = openSync(join(folder, 'qemu.stderr'), 'w');
    try {
      // setpriv replaces itself by QEMU, so the pid is QEMU's own.
      this.#child = spawn(
        'setpriv',
        ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...qemuArguments],
        { stdio: ['ignore', 'ignore', stderr], ...(cwd === undefined ? {} : { cwd }) },
      );
    } finally {
      closeSync(stderr);
    }
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        resolve(error.message);
      });
      this.#child.once('exit', (status, signal) => {
        resolve(signal === null ? `exit status ${String(status)}` : `signal ${signal}`);
      });
    });
    track(this);
  }

  get pid(): number {
    if (this.#child.pid === undefined) {
      throw new Error('QEMU did not start');
    }
    return this.#child.pid;
  }

  /** Rejects, with what QEMU and the guest said last, if QEMU ends before the work does. */
  async whileRunning<T>(work: Promise<T>): Promise<T> {
    const ended = this.#exited.then((how) => {
      throw new Error(`QEMU ended unexpectedly (${how})\n${this.lastWords()}`);
    });
    return await Promise.race([work, ended]);
  }

  /** What QEMU printed and the end of the guest's console, for error messages. */
  lastWords(): string {
    return ['qemu.stderr', 'console.log']
      .map((name) => `--- ${name}\n${tail(join(this.folder, name))}`)
      .join('\n');
  }

  async close(): Promise<void> {
    this.killNow();
    await this.#exited;
    this.removeFolder();
    running.delete(this);
    if (running.size === 0) {
      unwatch();
    }
  }

  killNow(): void {
    this.#child.kill('SIGKILL');
  }

  removeFolder(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function tail(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(-STDERR_TAIL_CHARACTERS);
  } catch {
    return '(none)';
  }
}

function track(qemu: QemuProcess): void {
  if (!watching) {
    watching = true;
    process.on('exit', endAll);
    // A worker of the test runner outlives a runner that is killed.
    process.on('disconnect', endAll);
    for (const signal of FATAL_SIGNALS) {
      process.on(signal, endAllAndObey);
    }
  }
  running.add(qemu);
}

/** Who listens for a disconnect keeps a worker of the test runner from ending, and each test file would add its own. */
function unwatch(): void {
  watching = false;
  process.off('exit', endAll);
  process.off('disconnect', endAll);
  for (const signal of FATAL_SIGNALS) {
    process.off(signal, endAllAndObey);
  }
}

function endAll(): void {
  for (const qemu of running) {
    qemu.killNow();
    qemu.removeFolder();
  }
  running.clear();
}

function endAllAndObey(signal: NodeJS.Signals): void {
  endAll();
  for (const name of FATAL_SIGNALS) {
    process.off(name, endAllAndObey);
  }
  process.kill(process.pid, signal);
}
