// Ctrl-C and the other polite ways to end a program, as a promise that the story races against.
//
// The guest and HDFS harnesses listen too: they kill what they started and then raise the signal anew. So a second
// signal is normal and changes nothing.

import { constants } from 'node:os';

export interface Interruption {
  /** Aborted at the first signal. */
  readonly signal: AbortSignal;
  /** Rejects at the first signal. */
  readonly raised: Promise<never>;
  /** As a shell reports it: 128 and the signal's number. Undefined while nobody has interrupted. */
  exitCode(): number | undefined;
}

export function watchForInterruption(): Interruption {
  const abort = new AbortController();
  let exitCode: number | undefined;
  const raised = new Promise<never>((_resolve, reject) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        exitCode ??= 128 + constants.signals[name];
        abort.abort();
        reject(new Error(`interrupted by ${name}`));
      });
    }
  });
  return { signal: abort.signal, raised, exitCode: () => exitCode };
}
