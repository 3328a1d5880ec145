// The only file of this store that knows the error codes of Node's network stack.

import { ParsError } from '../../../../introspect/pars-error.js';
import { absentPeers, networkCode } from '../../hadoop/network-code.js';

/** Made by this store where Node has no error of its own: for silences, and for bodies that end early. */
export class TransferError extends Error {
  constructor(
    readonly failure: 'connect-timeout' | 'idle-timeout' | 'truncated',
    message: string,
  ) {
    super(message);
  }
}

/** The host's name could not be turned into an address. */
const nameless = ['ENOTFOUND', 'EAI_AGAIN'];
/** The form of that part of the URL which says where DataNodes are (url.ts). */
export const dataNodesForm = 'datanodes=NAME=ADDRESS,NAME:PORT=ADDRESS:PORT';

/** What answers is not what the URL says, and will not be after a while. */
const misconfigured = new Map([
  ['EPROTO', 'it does not speak TLS, so use webhdfs:// or its other port'],
  ['HPE_INVALID_CONSTANT', 'it does not speak plain HTTP, so use swebhdfs:// or its other port'],
  ['HPE_INVALID_VERSION', 'it does not speak plain HTTP, so use swebhdfs:// or its other port'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host name'],
]);

/** The names of OpenSSL's verification failures, where the remedy is to trust the right authority. */
const untrustedPattern = /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED)/;

/**
 * Translates an error of a request to `hostPort`. `doing` opens the message: the operation and the path, never a query,
 * which may hold a token. What is no error of the network is returned unchanged.
 */
export function toParsError(error: unknown, doing: string, hostPort: string): unknown {
  const code = networkCode(error);
  const isOfNetwork = code !== '' || error instanceof TransferError;
  // The rest are bugs, which must stay visible.
  if (error instanceof ParsError || !isOfNetwork) {
    return error;
  }
  const where = `${doing} at ${hostPort}`;
  const wrongServer =
    misconfigured.get(code) ??
    (untrustedPattern.test(code)
      ? 'its certificate is not signed by a trusted authority; give it with NODE_EXTRA_CA_CERTS or the option `ca`'
      : undefined);
  if (wrongServer !== undefined) {
    return new ParsError('usage', `${where}: ${wrongServer} (${code})`, { cause: error });
  }
  const absent = absentPeers.get(code);
  if (absent !== undefined) {
    const remedy =
      'check host and port and that the daemon runs' +
      (nameless.includes(code)
        ? `; a DataNode's name that only the cluster knows is mapped in the store's URL: ${dataNodesForm}`
        : '');
    return new ParsError('unavailable', `${where}: ${absent} (${code}); ${remedy}`, {
      cause: error,
    });
  }
  const text = (error as Error).message;
  const suffix = code === '' || text.includes(code) ? '' : ` (${code})`;
  return new ParsError('unavailable', `${where}: the connection failed: ${text}${suffix}`, {
    cause: error,
  });
}

/**
 * How a ParsError of this file came about. `gone`: nobody was there, or did not say a word for the whole timeout; it
 * is of no use to ask there again now. `broken`: somebody was, and the connection broke. Undefined: it is the answer of
 * a server, not a failure of the network.
 */
export function transferFailure(error: unknown): 'gone' | 'broken' | undefined {
  const cause = error instanceof ParsError ? error.cause : undefined;
  if (cause instanceof TransferError) {
    return cause.failure === 'truncated' ? 'broken' : 'gone';
  }
  const code = networkCode(cause);
  if (code === '') {
    return undefined;
  }
  return absentPeers.has(code) ? 'gone' : 'broken';
}

/** Whether a DataNode took the request at least, which then failed or fell silent. */
export function wasReached(error: unknown): boolean {
  const cause = error instanceof ParsError ? error.cause : undefined;
  if (cause instanceof TransferError) {
    return cause.failure !== 'connect-timeout';
  }
  return transferFailure(error) === 'broken';
}

/** The host's name could not be turned into an address. */
export function isUnknownName(error: ParsError): boolean {
  return nameless.includes(networkCode(error.cause));
}
