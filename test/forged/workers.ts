// Processes that each hold the guests' RAM and go through cases.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CaseOutcome } from './run-case.js';
import type { Batch } from './worker.js';

/** A batch that takes longer than this hangs: a case has come out as an endless loop. */
const batchTimeoutMs = 600_000;

export class Worker {
  readonly #child: ChildProcess;
  #failure: string | undefined;

  constructor() {
    const path = fileURLToPath(new URL('worker.ts', import.meta.url));
    this.#child = fork(path, [], { execArgv: ['--import', 'tsx'] });
    this.#child.once('exit', (status, signal) => {
      this.#failure = `the worker ended (${signal ?? `exit status ${String(status)}`})`;
    });
  }

  async ready(): Promise<void> {
    await this.#answer();
  }

  /** Rejects when the worker dies or hangs over it. */
  async run(batch: Batch): Promise<readonly CaseOutcome[]> {
    this.#child.send(batch);
    return (await this.#answer()) as readonly CaseOutcome[];
  }

  close(): void {
    if (this.#child.connected) {
      this.#child.disconnect();
    }
    this.#child.kill();
  }

  async #answer(): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      const onMessage = (message: unknown): void => {
        finish();
        resolve(message);
      };
      const onExit = (): void => {
        finish();
        reject(new Error(this.#failure ?? 'the worker ended'));
      };
      const timer = setTimeout(() => {
        finish();
        this.#child.kill('SIGKILL');
        reject(new Error(`a batch took more than ${batchTimeoutMs / 1000} s`));
      }, batchTimeoutMs);
      if (this.#failure !== undefined) {
        onExit();
        return;
      }
      this.#child.once('message', onMessage);
      this.#child.once('exit', onExit);
    });
  }
}
