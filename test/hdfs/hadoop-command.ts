// Hadoop's own command line tools, run from the same jars: `hdfs dfs`, `hdfs dfsadmin` and others.

import { spawn } from 'node:child_process';
import { forgetProcess, trackProcess } from './leftovers.js';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs java with these arguments and waits; a failure is an exit code, not an exception. */
export function runHadoopCommand(
  javaArguments: readonly string[],
  userName: string | undefined,
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'java', ...javaArguments], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...(userName === undefined ? {} : { HADOOP_USER_NAME: userName }),
        ...environment,
      },
    });
    const { pid } = child;
    if (pid !== undefined) {
      trackProcess(pid);
    }
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (pid !== undefined) {
        forgetProcess(pid);
      }
      resolve({
        exitCode: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}
