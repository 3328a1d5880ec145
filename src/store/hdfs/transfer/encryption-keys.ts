// The key with which DataNodes are talked to where the cluster encrypts all transfer (dfs.encrypt.data.transfer). The NameNode gives
// it out, and makes another after some hours.

import { ParsError } from '../../../../introspect/pars-error.js';
import { getDataEncryptionKey, getServerDefaults } from '../proto/client-namenode-protocol.js';
import type { DataEncryptionKey } from '../proto/hdfs.js';
import type { NameNodeClient } from '../rpc/name-node-client.js';

/** DataNodes need a moment too. */
const beforeExpiryMs = 60_000;

export class EncryptionKeys {
  readonly #client: NameNodeClient;
  #isWanted: Promise<boolean> | undefined;
  #key: Promise<DataEncryptionKey> | undefined;

  constructor(client: NameNodeClient) {
    this.#client = client;
  }

  /** Undefined where transfer is not encrypted. `isStale`: a DataNode did not know the one that was given before. */
  async key(isStale: boolean): Promise<DataEncryptionKey | undefined> {
    this.#isWanted ??= this.#askWhetherWanted();
    if (!(await this.#isWanted)) {
      return undefined;
    }
    if (isStale) {
      this.#key = undefined;
    }
    const known = await this.#key;
    if (known !== undefined && Date.now() < Number(known.expiryDate) - beforeExpiryMs) {
      return known;
    }
    this.#key = this.#ask();
    return await this.#key;
  }

  async #askWhetherWanted(): Promise<boolean> {
    try {
      const { serverDefaults } = await this.#client.call(getServerDefaults, {}, callOptions);
      return serverDefaults.encryptDataTransfer === true;
    } catch (error) {
      this.#isWanted = undefined;
      throw error;
    }
  }

  async #ask(): Promise<DataEncryptionKey> {
    try {
      const { dataEncryptionKey } = await this.#client.call(getDataEncryptionKey, {}, callOptions);
      if (dataEncryptionKey !== undefined) {
        return dataEncryptionKey;
      }
    } catch (error) {
      this.#key = undefined;
      throw error;
    }
    this.#key = undefined;
    throw new ParsError(
      'unsupported',
      'getDataEncryptionKey: the cluster encrypts transfer, and the NameNode has no key for it: expected one, found none; see ' +
        'dfs.block.access.token.enable of the cluster',
    );
  }
}

const callOptions = { path: '', signal: undefined };
