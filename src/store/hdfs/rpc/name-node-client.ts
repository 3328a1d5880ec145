// Calls to the NameNodes of one name service, each made until it is answered: a call that is made again has the number that it
// had, by which a NameNode knows what it did already (its retry cache), over a failover as well. So a create or a rename whose
// answer was lost is not taken for one that found the name taken.

import { randomBytes } from 'node:crypto';
import type { NameNodes } from '../../hadoop/name-nodes.js';
import { retried, type Retry } from '../../hadoop/retry.js';
import type { Method } from '../proto/client-namenode-protocol.js';
import type { Authentication } from '../security/authentication.js';
import { RpcConnection } from './rpc-connection.js';

export interface NameNodeClientOptions {
  readonly nameNodes: NameNodes;
  readonly authentication: Authentication;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly retry: Retry;
}

export interface CallOptions {
  /** What the call is about, for errors. */
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  /** The client's unless given. */
  readonly retry?: Retry;
  readonly isWorthAnother?: (error: unknown) => boolean;
}

const callIdCount = 2 ** 31;

export class NameNodeClient {
  readonly #options: NameNodeClientOptions;
  readonly #clientId = randomBytes(16);
  readonly #connections = new Map<string, RpcConnection>();
  #nextCallId = 0;
  #isProven = false;

  constructor(options: NameNodeClientOptions) {
    this.#options = options;
  }

  /** Throws what the active NameNode's exception means, `unavailable` when no NameNode is active until the retries end. */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { path, signal, retry, isWorthAnother }: CallOptions,
  ): Promise<Response> {
    const { nameNodes, answerTimeoutMs } = this.#options;
    const callId = this.#nextCallId;
    this.#nextCallId = (callId + 1) % callIdCount;
    const doing = `${method.name} ${path}`;
    let retryCount = 0;
    const attempt = (): Promise<Response> =>
      nameNodes.ask(async (hostPort) => {
        const connection = this.#connection(hostPort);
        const response = await connection.call({
          method,
          request,
          callId,
          retryCount: retryCount++,
          doing,
          answerTimeoutMs,
          signal,
        });
        this.#isProven ||= connection.isProven;
        return response;
      });
    return await retried(retry ?? this.#options.retry, signal, attempt, isWorthAnother);
  }

  /** Whether a NameNode and this client have proven to each other who they are. */
  get isProven(): boolean {
    return this.#isProven;
  }

  close(): void {
    for (const connection of this.#connections.values()) {
      connection.close();
    }
    this.#connections.clear();
  }

  #connection(hostPort: string): RpcConnection {
    const existing = this.#connections.get(hostPort);
    if (existing?.isOpen === true) {
      return existing;
    }
    const { authentication, connectTimeoutMs } = this.#options;
    const clientId = this.#clientId;
    const connection = new RpcConnection({ hostPort, authentication, clientId, connectTimeoutMs });
    this.#connections.set(hostPort, connection);
    return connection;
  }
}
