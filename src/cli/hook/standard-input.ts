// Standard input as text, for a command that takes a few lines from who calls it. A caller that never ends it must not be
// waited for, and one that sends too much not be listened to.
import { isatty } from 'node:tty';
import { ParsError } from '../../../introspect/pars-error.js';

const limitBytes = 2 ** 20;
const timeoutMs = 10_000;

/** Empty for a terminal. Throws `usage`. */
export async function readStandardInput(): Promise<string> {
  const { stdin } = process;
  if (isatty(0)) {
    return '';
  }
  const timer = setTimeout(() => {
    stdin.destroy(
      new ParsError(
        'usage',
        `expected the end of standard input within ${timeoutMs / 1000} s; close it, or say what to take by options or variables`,
      ),
    );
  }, timeoutMs);
  try {
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    for await (const piece of stdin as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > limitBytes) {
        throw new ParsError('usage', `expected at most ${limitBytes} bytes on standard input`);
      }
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString('utf8');
  } finally {
    clearTimeout(timer);
    stdin.destroy();
  }
}
