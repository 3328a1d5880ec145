// The lease by which a NameNode knows that a file is still being written. It may be taken over after a minute without a word of
// its holder, so that is given while anything is written.

import { renewLease } from './proto/client-namenode-protocol.js';
import type { NameNodeClient } from './rpc/name-node-client.js';

/** Half of HdfsConstants.LEASE_SOFTLIMIT_PERIOD. */
const renewalMs = 30_000;

export class Lease {
  /** One for all files of a client. */
  readonly holder: string;
  readonly #client: NameNodeClient;
  #writerCount = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: NameNodeClient, holder: string) {
    this.#client = client;
    this.holder = holder;
  }

  /** Renews it until `write` is over. */
  async during<T>(write: () => Promise<T>): Promise<T> {
    this.#writerCount++;
    this.#timer ??= setInterval(() => {
      this.#renew();
    }, renewalMs).unref();
    try {
      return await write();
    } finally {
      this.#writerCount--;
      if (this.#writerCount === 0) {
        this.close();
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #renew(): void {
    const options = { path: this.holder, signal: undefined };
    // A lease that ran out is noticed by the next call about its file.
    this.#client.call(renewLease, { clientName: this.holder }, options).catch(() => undefined);
  }
}
