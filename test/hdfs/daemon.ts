// One daemon as a child process: a NameNode or a DataNode, each a JVM, or a KDC.
//
// `setpriv --pdeathsig` (util-linux) lets the kernel kill it when the test process dies, even by SIGKILL. It then
// becomes the daemon by exec, so the pid is the daemon's own.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { forgetProcess, trackProcess } from './leftovers.js';

export interface DaemonOptions {
  /** For messages: `NameNode`, `DataNode 2`. */
  readonly name: string;
  /** The program, and its arguments. */
  readonly command: readonly string[];
  /** Appended to; holds stdout and stderr. */
  readonly logFile: string;
}

export interface Daemon {
  readonly name: string;
  readonly pid: number;
  /** False once the process has ended, for whatever reason. */
  isRunning(): boolean;
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** The end of its log, for error messages. */
  logTail(): string;
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const log = openSync(options.logFile, 'a');
  let child: ChildProcess;
  try {
    child = spawn('setpriv', ['--pdeathsig', 'KILL', ...options.command], {
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new Error('cannot run setpriv: install util-linux', { cause }));
    });
  });
  const pid = child.pid;
  if (pid === undefined) {
    throw new Error(`${options.name} was started but has no pid`);
  }
  trackProcess(pid);

  let running = true;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running = false;
      forgetProcess(pid);
      resolve();
    });
  });
  return {
    name: options.name,
    pid,
    isRunning: () => running,
    end: async (signal) => {
      if (running) {
        child.kill(signal);
      }
      await ended;
    },
    logTail: () => readFileSync(options.logFile, 'utf8').slice(-3000),
  };
}
