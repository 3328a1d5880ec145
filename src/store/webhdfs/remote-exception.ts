// What an answer of WebHDFS that is a failure means.
//
// WebHDFS answers a failure with {"RemoteException": {"exception", "javaClassName", "message"}} and a status that says
// little (403 covers "exists", "disk full" and "block lost" alike), so the exception decides (../hadoop/remote-exception.ts). A
// body of another form is from something that is not WebHDFS: a proxy, or another port.

import { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import { errorOfException } from '../hadoop/remote-exception.js';

const remoteExceptionBody = z.object({
  RemoteException: z.object({ exception: z.string(), message: z.string().default('') }),
});

/**
 * `doing` is the operation and the path, `hostPort` who answered `status` with `body`, which is '' when it was too long.
 */
export function errorOfAnswer(
  status: number,
  body: string,
  doing: string,
  hostPort: string,
): ParsError {
  const where = `${doing} at ${hostPort}`;
  const remote = parseRemoteException(body);
  if (!remote) {
    return errorOfStatus(status, where);
  }
  return errorOfException(remote.exception, remote.message, where);
}

function parseRemoteException(
  body: string,
): { readonly exception: string; readonly message: string } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  return remoteExceptionBody.safeParse(json).data?.RemoteException;
}

function errorOfStatus(status: number, where: string): ParsError {
  const found = `${where}: answered HTTP ${status} without a RemoteException`;
  if (status === 401 || status === 403 || status === 407) {
    return new ParsError(
      'permission-denied',
      `${found}; the server or a proxy wants another authentication (delegation token or headers)`,
    );
  }
  if (status === 413 || status === 507) {
    return new ParsError('no-space', `${found}; the server or a proxy does not take that much`);
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new ParsError('unavailable', `${found}; the server or a proxy before it is not ready`);
  }
  return new ParsError(
    'usage',
    `${found}; it is not WebHDFS: check that the port is the NameNode's HTTP port (9870, TLS 9871), not its RPC port`,
  );
}
