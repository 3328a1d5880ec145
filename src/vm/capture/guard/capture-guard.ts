// A process of its own beside a capture. It takes QEMU's stream, which must be read to its end whatever becomes of us
// (receive-stream.ts); and when the capturing process ends without having said that all is right again, it puts it right.
//
// It has its own session and takes no signal but SIGKILL, so what is sent to a terminal or a process group passes it by.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { Lock } from '../../../host/file-lock.js';
import { type GuardAnswer, type GuardRequest, parseGuardAnswer } from './guard-protocol.js';

export interface GuardedStream {
  /** As `migrate` takes it. */
  readonly uri: string;
  /** Resolves when QEMU has closed its end and the whole file is on the disk; else rejects, `no-space` for example. */
  readonly received: Promise<void>;
}

export interface CaptureGuard {
  /** Makes a new file of the next stream; one at a time. */
  receive(path: string): Promise<GuardedStream>;
  /** Nothing is left to be put right. */
  release(): void;
  /** Something is, which the guard does at once and by itself. */
  leave(): void;
}

/**
 * `folder`: of the capture, with its journal by the time that something may have to be put right. `lock`: of the VM, which
 * stays taken while the guard is at work.
 */
export async function startGuard(folder: string, lock: Lock): Promise<CaptureGuard> {
  const program = createRequire(import.meta.url).resolve('#capture-guard');
  const child = spawn(process.execPath, [program, folder], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore', lock.fd],
    cwd: '/',
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new ParsError(
      'unavailable',
      `the process that watches over the VM could not be started, and nothing was done: ${String(error)}`,
      { cause: error },
    );
  }
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) {
    throw new Error('expected pipes to the process that watches over the VM');
  }
  // Should it be gone, that shows in its answers.
  stdin.on('error', () => undefined);
  const ask = (request: GuardRequest): void => {
    stdin.write(`${JSON.stringify(request)}\n`);
  };
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const nextAnswer = async (): Promise<GuardAnswer> => {
    const line = await answers.next();
    if (line.done === true) {
      throw new ParsError('unavailable', 'the process that watches over the VM has ended');
    }
    return parseGuardAnswer(line.value);
  };
  // A guard may have to wait for a QEMU that hangs, which must not keep this process from ending.
  const letGo = (): void => {
    stdin.end();
    stdout.destroy();
    child.unref();
  };
  return {
    async receive(path) {
      ask({ receive: path });
      const answer = await nextAnswer();
      if (!('listening' in answer)) {
        throw problemOf(answer);
      }
      const received = nextAnswer().then((last) => {
        if (!('ended' in last) || last.ended.problem !== undefined) {
          throw problemOf(last);
        }
      });
      received.catch(() => undefined);
      return { uri: answer.listening.uri, received };
    },
    release: () => {
      ask({ release: true });
      letGo();
    },
    leave: letGo,
  };
}

function problemOf(answer: GuardAnswer): ParsError {
  const problem =
    'refused' in answer ? answer.refused : 'ended' in answer ? answer.ended.problem : undefined;
  return new ParsError(
    problem?.code ?? 'unavailable',
    problem?.message ?? 'the process that watches over the VM does not say what is expected of it',
  );
}
