// What is said on a connection to a NameNode before the first call, where a token is to prove who calls
// (org.apache.hadoop.security.SaslRpcClient):
//
//   we         NEGOTIATE
//   NameNode   NEGOTIATE     its methods: TOKEN with a first challenge, KERBEROS, SIMPLE
//   we         INITIATE      TOKEN, and the answer to its challenge
//   NameNode   SUCCESS       its own proof

import { ParsError } from '../../../../introspect/pars-error.js';
import { type RpcSasl, type SaslMethod, saslStates } from '../proto/rpc-header.js';
import type { Authentication } from '../security/authentication.js';
import type { DigestLayer } from '../security/digest-layer.js';
import { DigestMd5 } from '../security/digest-md5.js';

type TokenAuthentication = Extract<Authentication, { readonly kind: 'token' }>;

/** What is to be sent, and whether that is the end of it. */
export type Step =
  | { readonly isOver: false; readonly reply: RpcSasl }
  | { readonly isOver: true; readonly isProven: true; readonly layer: DigestLayer | undefined }
  /** The NameNode believes any name. */
  | { readonly isOver: true; readonly isProven: false; readonly reply: RpcSasl | undefined };

export const negotiateRequest: RpcSasl = { state: saslStates.negotiate, auths: [] };

export class SaslNegotiation {
  readonly #authentication: TokenAuthentication;
  readonly #where: string;
  #digest: DigestMd5 | undefined;

  /** `where` opens the message of each error. */
  constructor(authentication: TokenAuthentication, where: string) {
    this.#authentication = authentication;
    this.#where = where;
  }

  /** Throws `permission-denied` for a NameNode that takes no token or proves nothing, `unsupported` for what is no negotiation. */
  receive({ state, token, auths }: RpcSasl): Step {
    if (state === saslStates.negotiate && this.#digest === undefined) {
      return this.#choose(auths);
    }
    if (state === saslStates.challenge && this.#digest !== undefined && token !== undefined) {
      const reply = { state: saslStates.response, token: this.#digest.respond(token), auths: [] };
      return { isOver: false, reply };
    }
    if (state === saslStates.success && this.#digest !== undefined && token !== undefined) {
      return { isOver: true, isProven: true, layer: this.#digest.confirm(token).layer };
    }
    if (state === saslStates.success && this.#digest === undefined) {
      return this.#fallBack('no proof at all', undefined);
    }
    throw new ParsError(
      'unsupported',
      `${this.#where}: expected the next message of a negotiation, found one of state ${state}`,
    );
  }

  #choose(methods: readonly SaslMethod[]): Step {
    const method = methods.find(
      (found) => found.method === 'TOKEN' && found.mechanism === 'DIGEST-MD5',
    );
    if (method !== undefined) {
      return this.#initiate(method);
    }
    const names = methods.map((found) => found.method).join(', ');
    const simple = methods.find((found) => found.method === 'SIMPLE');
    if (simple !== undefined) {
      const reply = { state: saslStates.initiate, token: new Uint8Array(), auths: [simple] };
      return this.#fallBack(names, reply);
    }
    throw this.#unproven(names);
  }

  #fallBack(found: string, reply: RpcSasl | undefined): Step {
    if (this.#authentication.mayFallBack) {
      return { isOver: true, isProven: false, reply };
    }
    throw this.#unproven(
      `${found}; where that is as it should be, take the token away or set ipc.client.fallback-to-simple-auth-allowed`,
    );
  }

  #unproven(found: string): ParsError {
    return new ParsError(
      'permission-denied',
      `${this.#where}: expected a NameNode that takes a token and proves that it gave it, found one that asks for ${found}`,
    );
  }

  #initiate(method: SaslMethod): Step {
    const { token, protections } = this.#authentication;
    const { protocol = '', serverId = '', challenge } = method;
    this.#digest = new DigestMd5({
      userName: base64(token.identifier),
      password: base64(token.password),
      uri: `${protocol}/${serverId}`,
      protections,
      where: this.#where,
    });
    const auth = { method: method.method, mechanism: method.mechanism, protocol, serverId };
    const answer = challenge === undefined ? new Uint8Array() : this.#digest.respond(challenge);
    return {
      isOver: false,
      reply: { state: saslStates.initiate, token: answer, auths: [auth] },
    };
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
