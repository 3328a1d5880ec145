// Opening connections to DataNodes: at the address by which they are reached from here, with the proof and the protection that the
// cluster asks for.

import { type DataNodeMap, mappedAddress } from '../../hadoop/url-parts.js';
import { addressOf } from '../net/host-port.js';
import { PeerStream } from '../net/peer-stream.js';
import type { DataEncryptionKey, DatanodeInfo } from '../proto/hdfs.js';
import type { Token } from '../proto/security.js';
import { type Protection, transferProtectionProperty } from '../security/protection.js';
import { type ConnectOptions, type Connector, nameOf } from './data-nodes.js';
import { proofByKey, proofByToken, shakeHands, UnknownKey } from './handshake.js';

export interface DataNodeConnectorOptions {
  readonly connectTimeoutMs: number;
  /** Addresses of this machine's own for some of the nodes. */
  readonly dataNodes: DataNodeMap;
  /** Whether DataNodes are reached by their names, and not by the addresses that the NameNode saw. */
  readonly usesHostnames: boolean;
  /** Whether the NameNode and this client have proven to each other who they are. */
  readonly isProven: () => boolean;
  /** dfs.data.transfer.protection, best liked first; undefined where it is not set. */
  readonly protections: readonly Protection[] | undefined;
  /** A key where the cluster encrypts all transfer, else undefined. `isStale`: the one before was not known to a DataNode. */
  readonly encryptionKey: (isStale: boolean) => Promise<DataEncryptionKey | undefined>;
}

/** What a connector in another thread needs to know: all but whom to ask for another key. */
export interface ConnectorPlan extends Pick<
  DataNodeConnectorOptions,
  'connectTimeoutMs' | 'dataNodes' | 'usesHostnames' | 'protections'
> {
  readonly isProven: boolean;
  readonly encryptionKey: DataEncryptionKey | undefined;
}

/** Only root may listen below: such a DataNode is believed without a handshake (SecurityUtil.isPrivilegedPort). */
const firstOpenPort = 1024;

export class DataNodeConnector implements Connector {
  readonly #options: DataNodeConnectorOptions;

  constructor(options: DataNodeConnectorOptions) {
    this.#options = options;
  }

  /** One whose key is that of the plan. Where a DataNode does not know it, `connect` throws UnknownKey. */
  static planned({ isProven, encryptionKey, ...plan }: ConnectorPlan): DataNodeConnector {
    return new DataNodeConnector({
      ...plan,
      isProven: () => isProven,
      encryptionKey: () => Promise.resolve(encryptionKey),
    });
  }

  /** `isStale`: a DataNode did not know the key of the plan before. */
  async plan(isStale: boolean): Promise<ConnectorPlan> {
    const { connectTimeoutMs, dataNodes, usesHostnames, protections } = this.#options;
    return {
      connectTimeoutMs,
      dataNodes,
      usesHostnames,
      protections,
      isProven: this.#options.isProven(),
      encryptionKey: await this.#options.encryptionKey(isStale),
    };
  }

  /** For operations on the block that `token` is for, and on others afterwards. Throws as PeerStream.connect and shakeHands do. */
  async connect(node: DatanodeInfo, token: Token, options: ConnectOptions): Promise<PeerStream> {
    try {
      return await this.#connect(node, token, options, false);
    } catch (error) {
      if (error instanceof UnknownKey) {
        return await this.#connect(node, token, options, true);
      }
      throw error;
    }
  }

  async #connect(
    node: DatanodeInfo,
    token: Token,
    options: ConnectOptions,
    isStale: boolean,
  ): Promise<PeerStream> {
    const key = await this.#options.encryptionKey(isStale);
    const protections = key === undefined ? this.#protectionsOf(node) : undefined;
    const proof =
      key !== undefined
        ? proofByKey(key)
        : protections === undefined
          ? undefined
          : proofByToken(token, protections);
    const stream = await PeerStream.connect({
      connectTimeoutMs: this.#options.connectTimeoutMs,
      ...options,
      hostPort: nameOf(node),
      reachedAt: this.#addressOf(node),
      hintOfSilence: proof === undefined ? this.#hintOfSilence() : hintOfRefusal,
    });
    if (proof === undefined) {
      return stream;
    }
    try {
      await shakeHands(stream, proof, options.doing, options.connectTimeoutMs);
      return stream;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  #protectionsOf({ id }: DatanodeInfo): readonly Protection[] | undefined {
    const { isProven, protections } = this.#options;
    return isProven() && id.xferPort >= firstOpenPort ? protections : undefined;
  }

  #addressOf({ id }: DatanodeInfo): { readonly host: string; readonly port: number } {
    const { dataNodes, usesHostnames } = this.#options;
    const port = String(id.xferPort);
    const mapped =
      mappedAddress(dataNodes, id.hostName.toLowerCase(), port) ??
      mappedAddress(dataNodes, id.ipAddr, port);
    if (mapped !== undefined) {
      return { host: mapped.host, port: Number(mapped.port) };
    }
    return usesHostnames ? { host: id.hostName, port: id.xferPort } : addressOf(nameOf({ id }));
  }

  #hintOfSilence(): string | undefined {
    return this.#options.isProven()
      ? `it may want a handshake: give the folder of the cluster's configuration, with ${transferProtectionProperty}, as HADOOP_CONF_DIR`
      : undefined;
  }
}

const hintOfRefusal = `it may take no handshake: see ${transferProtectionProperty} of this machine's configuration and of the cluster's`;
