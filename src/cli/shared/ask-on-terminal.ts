// A question that a person answers on the terminal, before something is done that cannot be taken back.
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { writeQuestion } from '../../text/standard-streams.js';

/** Nobody is there. */
const timeoutMs = 600_000;

/** Whether somebody can see a question and answer it: standard input and standard error are terminals. */
export function canAsk(): boolean {
  return isatty(0) && isatty(2);
}

/** True for `y` or `yes` and nothing else; the end of the input, ten minutes without an answer and the signal say no. */
export async function askOnTerminal(question: string, signal?: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await new Promise<boolean>((done) => {
      const no = (): void => {
        done(false);
      };
      signal?.addEventListener('abort', no, { once: true });
      limit.addEventListener('abort', no, { once: true });
      lines.once('close', no);
      lines.once('line', (answer) => {
        done(/^y(?:es)?$/i.test(answer.trim()));
      });
      writeQuestion(`${question} [y/N]`);
    });
  } finally {
    lines.close();
    // Who is started next has the terminal.
    process.stdin.pause();
  }
}
