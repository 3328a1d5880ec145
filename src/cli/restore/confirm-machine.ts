// Whether a machine that a snapshot describes may be started: it is shown, and on a terminal asked about. What it could do
// to the host is refused by name, unless whoever starts it has said that the snapshot is trusted.
import type { ResumableMachine } from '../../restore/resume/write-resume.js';
import { type Lines, wholeLines } from '../../text/standard-streams.js';
import { findingLines } from '../../vm/trust/trust-words.js';
import { askOnTerminal, canAsk } from '../shared/ask-on-terminal.js';

export interface ConfirmContext {
  /** --trust-machine */
  readonly isTrusted: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (lines: Lines) => void;
}

/** False, with the reason said: it is not to be started. */
export async function confirmMachine(
  { command, findings, scriptPath }: ResumableMachine,
  { isTrusted, signal, warn }: ConfirmContext,
): Promise<boolean> {
  const asRoot = process.getuid?.() === 0 ? ', as root' : '';
  // Nobody agrees to what was cut away.
  warn([`the snapshot says how its VM is started${asRoot}:`, ...command.map(wholeLines)]);
  const lines = findingLines(findings).map((line) => `  ${line}`);
  if (isTrusted) {
    if (lines.length > 0) {
      warn(['allowed by --trust-machine:', ...lines]);
    }
    return true;
  }
  const byHand = `what was restored is kept, and ${scriptPath} starts the VM when you have read it`;
  if (lines.length > 0) {
    warn([
      'the VM was not started, since that is more than a VM needs of a host that does not trust the snapshot:',
      ...lines,
      '--trust-path PATH allows a path by name, --replace OLD=NEW names another disk, RAM or kernel, --trust-machine allows all of it; ' +
        byHand,
    ]);
    return false;
  }
  if (!canAsk()) {
    warn(
      `the VM was not started, since nobody can be asked here: standard input and error are no terminals; --trust-machine starts it without asking; ${byHand}`,
    );
    return false;
  }
  if (await askOnTerminal('Start it?', signal)) {
    return true;
  }
  warn(`the VM was not started; ${byHand}`);
  return false;
}
