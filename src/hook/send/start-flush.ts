// `pars hook flush` in the background, in a session of its own: the caller of a hook does not wait for the store, and does
// not end the upload by ending. What it says goes to `hook.log` in the spool.
import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { messageOf } from '../../flow/message-of.js';
import { appendFlags } from '../../host/durable-file.js';
import type { HookContext } from '../hook-context.js';
import { withLowPriority } from '../run-program.js';

/** How long `hook.log` may become: a longer one is renamed to `hook.log.1`, in place of the one before. */
const maxLogBytes = 2 ** 20;

/** What cannot be started is logged: the snapshot is in the spool, and the next flush sends it. */
export function startFlush({ pars, config, spool, log }: HookContext): void {
  try {
    startInBackground(
      [...pars, 'hook', 'flush', '--config', config.path],
      spool.paths.log,
      (error) => {
        log.error('cannot start the upload in the background', { error: error.message });
      },
    );
  } catch (error) {
    log.error('cannot start the upload in the background', {
      error: messageOf(error),
    });
  }
}

/** Any command; its words are appended to the log. `onError` is called when there is no such program. */
export function startInBackground(
  command: readonly string[],
  logPath: string,
  onError: (error: Error) => void,
): void {
  if ((statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) {
    renameSync(logPath, `${logPath}.1`);
  }
  const logFd = openSync(logPath, appendFlags, 0o600);
  try {
    const [program, ...programArguments] = withLowPriority(command);
    const child = spawn(program, programArguments, {
      detached: true,
      stdio: ['ignore', logFd, logFd],
    });
    child.on('error', onError);
    child.unref();
  } finally {
    closeSync(logFd);
  }
}
