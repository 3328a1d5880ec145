// An error as its sentence and its exit code. One that is not of the closed list is a defect of pars, and said to be one.
import { ParsError } from '../../../introspect/pars-error.js';
import { type Lines, writeJson, writeLines } from '../../text/standard-streams.js';
import { visibleText } from '../../text/visible-text.js';
import { exitCodeOfError, exitCodes } from './exit-code.js';

/** Returns the exit code. */
export function reportError(error: unknown, { isJson }: { readonly isJson: boolean }): number {
  const known = error instanceof ParsError;
  const code = known ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  writeLines('stderr', [`pars: ${message}`, ...(known ? [] : [defectLines(error)])]);
  if (isJson) {
    writeJson({ error: { code, message } });
  }
  return known ? exitCodeOfError[error.code] : exitCodes.internal;
}

/** The stack is lines of ours, but for the message in it. */
function defectLines(error: unknown): Lines {
  if (!(error instanceof Error) || error.stack === undefined) {
    return [];
  }
  const stack = error.stack.replace(error.message, () => visibleText(error.message));
  return `This is a defect of pars. ${stack}`.split('\n');
}
