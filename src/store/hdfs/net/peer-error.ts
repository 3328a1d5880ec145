// The only file of this store that knows how a connection ends: by an error of Node's network stack, by the peer, or by silence.

import { ParsError } from '../../../../introspect/pars-error.js';
import { absentPeers, networkCode } from '../../hadoop/network-code.js';

/** Made where Node has no error of its own. */
export class PeerFailure extends Error {
  constructor(
    readonly failure: 'silent' | 'closed',
    message: string,
  ) {
    super(message);
  }
}

export function silence(expected: string, timeoutMs: number): PeerFailure {
  return new PeerFailure('silent', `${expected} did not come within ${timeoutMs} ms`);
}

/** Translates the end of a connection to `hostPort`; what is no such end is returned unchanged. */
export function toParsError(error: Error, doing: string, hostPort: string): Error {
  const code = networkCode(error);
  if (error instanceof ParsError || (code === '' && !(error instanceof PeerFailure))) {
    return error;
  }
  const where = `${doing} at ${hostPort}`;
  const absent = absentPeers.get(code);
  if (absent !== undefined) {
    return new ParsError(
      'unavailable',
      `${where}: ${absent} (${code}); check host and port and that the daemon runs`,
      { cause: error },
    );
  }
  const text = error.message;
  const suffix = code === '' || text.includes(code) ? '' : ` (${code})`;
  return new ParsError('unavailable', `${where}: the connection failed: ${text}${suffix}`, {
    cause: error,
  });
}

/**
 * How a ParsError of this file came about. `gone`: nobody was there, or said no word for the whole time; it is of no use to
 * ask there again now. `broken`: somebody was, and the connection broke. Undefined: it is an answer.
 */
export function peerFailure(error: unknown): 'gone' | 'broken' | undefined {
  const cause = error instanceof ParsError ? error.cause : undefined;
  if (cause instanceof PeerFailure) {
    return cause.failure === 'silent' ? 'gone' : 'broken';
  }
  const code = networkCode(cause);
  if (code === '') {
    return undefined;
  }
  return absentPeers.has(code) ? 'gone' : 'broken';
}

/** Whether somebody took the connection at least, and then fell silent or went. */
export function isSilent(error: unknown): boolean {
  return (
    error instanceof ParsError &&
    error.cause instanceof PeerFailure &&
    error.cause.failure === 'silent'
  );
}
