// Which DataNode to ask, when the NameNode may not know yet that one is dead (10.5 minutes by default): it then sends
// every client there again.
//
// The NameNode can be told whom not to choose, with `excludedatanodes`. It knows DataNodes by the address of block
// transfer (`names` of the block locations), while a redirect shows the HTTP address, and no answer tells the two
// together. (Hadoop 3.4.2 silently ignores an HTTP address in that list; measured.) So:
//
// - a copy of a block is picked by excluding all its other copies;
// - for a new file the whole host of a dead DataNode is excluded, and when that leaves nobody, the NameNode is asked
//   again until chance names a live one.

import { ParsError } from '../../../introspect/pars-error.js';
import { AvoidedNodes } from '../hadoop/avoided-nodes.js';
import { isWithoutDataNode } from '../hadoop/remote-exception.js';
import { isUnavailable } from '../hadoop/retry.js';
import { UnreachableCopies } from '../unreachable.js';
import { fsStatusAnswer } from './answers.js';
import type { BodyToSend, Operation, WebHdfsClient } from './client.js';
import type { HttpAnswer } from './http/http-client.js';
import { dataNodesForm, isUnknownName, transferFailure, wasReached } from './http/node-error.js';
import { refusedByPolicy } from './storage-policy.js';

const choiceCount = 12;

export class DataNodes {
  readonly #client: WebHdfsClient;
  /** By the HTTP address of a DataNode. */
  readonly #avoided = new AvoidedNodes();

  constructor(client: WebHdfsClient) {
    this.#client = client;
  }

  /**
   * Gives `use` the answer of a DataNode that holds one of the copies `names`, trying one copy after the other.
   * Throws UnreachableCopies when none can be reached, `data-lost` when each holder says itself that it has no copy, and
   * `unavailable` when a DataNode answers that it cannot now.
   */
  async askHolder<T>(
    operation: Operation,
    names: readonly string[],
    use: (answer: HttpAnswer) => Promise<T>,
  ): Promise<T> {
    const first = await this.#askEachHolder(operation, names, use);
    if ('value' in first) {
      return first.value;
    }
    // A connection may break by chance, so that one more round is worth it; a node that is gone is gone.
    const isWorthRepeating = first.failures.some((error) => transferFailure(error) === 'broken');
    const last = isWorthRepeating ? await this.#askEachHolder(operation, names, use) : first;
    if ('value' in last) {
      return last.value;
    }

    const answers = last.failures.filter((error) => transferFailure(error) === undefined);
    const notNow = answers.find((error) => error.code !== 'data-lost');
    if (notNow) {
      throw notNow;
    }
    // One that cannot be reached may have what another says is gone.
    if (answers.length > 0 && answers.length === last.failures.length) {
      throw answers[0];
    }
    const found = last.failures.map((error) => error.message).join('; ');
    throw new UnreachableCopies(
      `${operation.op} ${operation.path}: HDFS lists copies on ${names.join(', ')}, and this machine reaches none of ` +
        `these DataNodes: ${found}. ${remedyOf(last.failures)}`,
      { cause: last.failures.find(wasReached) ?? last.failures[0] },
    );
  }

  /** Sends a new file's content to a DataNode. Throws `unavailable` when it fails; another will be chosen next time. */
  async sendNew(operation: Operation, send: BodyToSend): Promise<void> {
    const url = await this.#locateNew(operation);
    const noContent = (answer: HttpAnswer) => {
      answer.body.resume();
      return Promise.resolve();
    };
    try {
      await this.#client.askDataNode(url, operation, noContent, send);
      this.#avoided.welcome(url.host);
    } catch (error) {
      if (transferFailure(error) !== undefined) {
        this.#avoided.avoid(url.host);
      }
      // Where HDFS does not tell of policies, the first error stands.
      throw (await refusedByPolicy(this.#client, operation, error).catch(() => undefined)) ?? error;
    }
  }

  /** Each copy once. `failures` are all `unavailable` or `data-lost`; it is empty when the NameNode names nobody. */
  async #askEachHolder<T>(
    operation: Operation,
    names: readonly string[],
    use: (answer: HttpAnswer) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly failures: readonly ParsError[] }> {
    const failures: ParsError[] = [];
    const seen = new Set<string>();
    const postponed: URL[] = [];
    const tryAt = async (url: URL): Promise<{ readonly value: T } | undefined> => {
      try {
        const value = await this.#client.askDataNode(url, operation, use);
        this.#avoided.welcome(url.host);
        return { value };
      } catch (error) {
        if (!(error instanceof ParsError)) {
          throw error;
        }
        const saysLost = error.code === 'data-lost';
        if (!saysLost && !isUnavailable(error)) {
          throw error;
        }
        if (!saysLost) {
          this.#avoided.avoid(url.host);
        }
        failures.push(error);
        return undefined;
      }
    };

    // The NameNode's own choice, the nearest copy, comes first unless it has just failed.
    for (const name of [undefined, ...(names.length > 1 ? names : [])]) {
      const others = name === undefined ? [] : names.filter((other) => other !== name);
      const url = await this.#locateHolder(operation, others);
      if (!url || seen.has(url.host)) {
        continue;
      }
      seen.add(url.host);
      if (this.#avoided.has(url.host)) {
        postponed.push(url);
        continue;
      }
      const result = await tryAt(url);
      if (result) {
        return result;
      }
    }
    for (const url of postponed) {
      const result = await tryAt(url);
      if (result) {
        return result;
      }
    }
    return { failures };
  }

  /** Undefined when the NameNode has no live node left outside `excluded`. */
  async #locateHolder(operation: Operation, excluded: readonly string[]): Promise<URL | undefined> {
    try {
      return await this.#locate(operation, excluded);
    } catch (error) {
      const isExhausted =
        excluded.length > 0 && error instanceof ParsError && error.code === 'data-lost';
      if (isExhausted) {
        return undefined;
      }
      throw error;
    }
  }

  async #locateNew(operation: Operation): Promise<URL> {
    const avoidedHosts = this.#avoidedHosts();
    if (avoidedHosts.length > 0) {
      try {
        const url = await this.#locate(operation, avoidedHosts);
        if (!this.#avoided.has(url.host)) {
          return url;
        }
      } catch (error) {
        // "Failed to find datanode": every node is on one of those hosts. A NameNode that is down fails below again.
        if (!isUnavailable(error)) {
          throw error;
        }
      }
    }
    let url = await this.#locate(operation, []).catch(async (error: unknown) => {
      // An older Hadoop cannot say; then the first error stands.
      throw (await this.#fullError(operation, error).catch(() => undefined)) ?? error;
    });
    for (let count = 1; count < choiceCount && this.#avoided.has(url.host); count++) {
      url = await this.#locate(operation, []);
    }
    return url;
  }

  /** An error for a cluster that has live DataNodes, yet none that takes a block. */
  async #fullError(operation: Operation, error: unknown): Promise<ParsError | undefined> {
    if (!isWithoutDataNode(error)) {
      return undefined;
    }
    const { signal } = operation;
    const { FsStatus: found } = await this.#client.ask(
      { method: 'GET', op: 'GETSTATUS', path: '', signal },
      fsStatusAnswer,
    );
    if (found.used === 0 && found.capacity === 0) {
      return undefined;
    }
    return new ParsError(
      'no-space',
      `${operation.op} ${operation.path}: the cluster has ${found.remaining} bytes left, ` +
        `but no DataNode has room for one more block; free space or add DataNodes`,
      { cause: error },
    );
  }

  #locate(operation: Operation, excluded: readonly string[]): Promise<URL> {
    if (excluded.length === 0) {
      return this.#client.locate(operation);
    }
    const query = { ...operation.query, excludedatanodes: excluded.join(',') };
    return this.#client.locate({ ...operation, query });
  }

  #avoidedHosts(): readonly string[] {
    return [...new Set(this.#avoided.all().map((hostPort) => hostPort.replace(/:\d+$/, '')))];
  }
}

function remedyOf(failures: readonly ParsError[]): string {
  return failures.some(isUnknownName)
    ? "The DataNodes' names are not known here: add them to the hosts file or the name server, or map them as said"
    : 'The bytes may be whole: see whether these nodes run and whether a firewall is between; where they are reached by ' +
        `another address from here, map their names in the store's URL: ${dataNodesForm}`;
}
