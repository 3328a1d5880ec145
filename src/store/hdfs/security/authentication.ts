// How this process proves to a cluster who it is: by name alone, where the cluster believes that, or by a delegation token.

import { ParsError } from '../../../../introspect/pars-error.js';
import type { Environment } from '../../hadoop/configuration/folder.js';
import { nameOfProcess } from '../../hadoop/process-user.js';
import { tokenRemedy } from '../../hadoop/remote-exception.js';
import type { Token } from '../proto/security.js';
import {
  findDelegationToken,
  ownerOf,
  readTokenFile,
  tokenFileVariable,
} from './delegation-token.js';
import { type Protection, strongestFirst } from './protection.js';

export type Authentication =
  | { readonly kind: 'simple'; readonly userName: string }
  | {
      readonly kind: 'token';
      readonly token: Token;
      /** How what is said to the NameNode may be protected, best liked first. */
      readonly protections: readonly Protection[];
      /** Where the NameNode asks for no proof at all, and so gives none of its own. */
      readonly mayFallBack: boolean;
      /** For a fall back. */
      readonly userName: string | undefined;
    };

/** What of a cluster decides. */
export interface AuthenticatedCluster {
  readonly nameNodes: readonly string[];
  readonly service: string | undefined;
  readonly isSecured: boolean;
  readonly mayFallBack: boolean;
  readonly rpcProtections: readonly Protection[] | undefined;
}

/**
 * `userName` is undefined unless one was asked for. Throws `permission-denied` where the cluster wants a proof and there is no
 * token for it, `usage` where the token is another user's.
 */
export async function authenticationOf(
  cluster: AuthenticatedCluster,
  userName: string | undefined,
  environment: Environment,
): Promise<Authentication> {
  const { nameNodes, service, isSecured, mayFallBack, rpcProtections } = cluster;
  const { [tokenFileVariable]: path = '' } = environment;
  const tokens = path === '' ? [] : await readTokenFile(path);
  const token = await findDelegationToken(tokens, nameNodes, service);
  if (token !== undefined) {
    expectOwner(token, userName);
    const protections = rpcProtections ?? strongestFirst;
    return { kind: 'token', token, protections, mayFallBack, userName: userName ?? ownerOf(token) };
  }
  if (isSecured && !mayFallBack) {
    const services = tokens.map((found) => found.service).join(', ');
    throw new ParsError(
      'permission-denied',
      `${service ?? nameNodes.join(',')}: the configuration asks for Kerberos (hadoop.security.authentication), which hdfs:// knows ` +
        `by its tokens only; expected one for this cluster in the file of ${tokenFileVariable}, found ` +
        `${tokens.length === 0 ? 'none' : `those of ${services}`}: ${tokenRemedy}`,
    );
  }
  return { kind: 'simple', userName: userName ?? nameOfProcess('hdfs://USER@HOST:PORT/PATH') };
}

function expectOwner(token: Token, userName: string | undefined): void {
  const owner = ownerOf(token);
  if (userName === undefined || owner === undefined || owner === userName) {
    return;
  }
  throw new ParsError(
    'usage',
    `the store's URL names the user ${userName}, and the token of ${tokenFileVariable} is ${owner}'s: leave the user out, or get ` +
      'a token of his',
  );
}
