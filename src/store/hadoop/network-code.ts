// The error codes of Node's network stack that say that nobody is there, whatever would have been said.

/** Nobody was there to take what was sent. */
export const absentPeers = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['EHOSTUNREACH', 'there is no route to the host'],
  ['ENETUNREACH', 'there is no route to its network'],
  ['EHOSTDOWN', 'the host is down'],
  ['ENOTFOUND', 'the name of the host is not known'],
  ['EAI_AGAIN', 'the name server does not answer'],
]);

/** The code of an error of Node's, '' for other errors. */
export function networkCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
