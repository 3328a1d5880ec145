// What a write that fails leaves in HDFS, until it is removed.

import { isUnavailable, type Retry } from '../hadoop/retry.js';
import type { Lease } from './lease.js';
import type { Namespace } from './namespace.js';
import { fsync } from './proto/client-namenode-protocol.js';
import type { NameNodeClient } from './rpc/name-node-client.js';

export interface LeftoversOptions {
  readonly client: NameNodeClient;
  readonly namespace: Namespace;
  readonly lease: Lease;
  readonly retry: Retry;
}

export class Leftovers {
  readonly #options: LeftoversOptions;
  /** By path. `perhaps ours`: it was there before, or the answer to its making was lost. */
  readonly #files = new Map<string, 'ours' | 'perhaps ours'>();

  constructor(options: LeftoversOptions) {
    this.#options = options;
  }

  add(path: string, whose: 'ours' | 'perhaps ours'): void {
    this.#files.set(path, whose);
  }

  /** Nothing happens where nothing of ours may be there. */
  async remove(path: string, signal: AbortSignal | undefined, retry?: Retry): Promise<void> {
    const whose = this.#files.get(path);
    if (whose === undefined) {
      return;
    }
    if (whose === 'ours' || (await this.#isWrittenHere(path, signal, retry))) {
      await this.#options.namespace.remove(path, false, signal, retry);
    }
    this.#files.delete(path);
  }

  /**
   * One attempt, for after a failure: that is the one to report. Not bound to the caller's signal: cleaning up is for after it was
   * aborted.
   */
  async tryToRemove(path: string): Promise<void> {
    const { retry } = this.#options;
    const once = { ...retry, policy: { ...retry.policy, attemptCount: 1 } };
    await this.remove(path, undefined, once).catch(() => undefined);
  }

  async tryToRemoveAll(): Promise<void> {
    for (const path of [...this.#files.keys()]) {
      await this.tryToRemove(path);
    }
  }

  /** Asked by a call that only the writer of an open file may make, and that changes nothing. */
  async #isWrittenHere(
    path: string,
    signal: AbortSignal | undefined,
    retry: Retry | undefined,
  ): Promise<boolean> {
    const { client, lease } = this.#options;
    const request = { src: path, client: lease.holder };
    const options = { path, signal, ...(retry === undefined ? {} : { retry }) };
    try {
      await client.call(fsync, request, options);
      return true;
    } catch (error) {
      if (isUnavailable(error) && !isNotTheWriter(error)) {
        throw error;
      }
      return false;
    }
  }
}

/** LeaseExpiredException, whose name the error repeats. */
function isNotTheWriter(error: unknown): boolean {
  return error instanceof Error && error.message.includes('LeaseExpiredException');
}
