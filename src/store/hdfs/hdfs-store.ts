// The store on HDFS by HDFS's own protocols: Hadoop RPC to NameNodes, DataTransferProtocol to DataNodes. No Java is needed here, and
// no WebHDFS there.
//
// This file ties together: names are checked here, paths made. Calls to NameNodes are made until they are answered by
// rpc/name-node-client.ts; what DataNodes do wrong is dealt with in write-file.ts and read-file.ts.

import { randomBytes } from 'node:crypto';
import { ParsError } from '../../../introspect/pars-error.js';
import type { StoreCapabilities } from '../capabilities.js';
import { copiesToWrite, copyCountOf } from '../check-write.js';
import type { Environment } from '../hadoop/configuration/folder.js';
import { NameNodes } from '../hadoop/name-nodes.js';
import { expectRemovable, folderOf, isNotFound, storedFile } from '../hadoop/namespace.js';
import {
  createRetry,
  defaultRetryPolicy,
  failoverPolicy,
  openingPolicy,
  type Retry,
  type RetryPolicy,
} from '../hadoop/retry.js';
import type { Store } from '../store.js';
import { checkStoreFolder, checkStoreName, isStoreName } from '../store-name.js';
import { type Cluster, findCluster } from './cluster.js';
import { clusterShape } from './cluster-shape.js';
import { entryOf, isFolder } from './file-status.js';
import { HedgeBudget } from './hedged.js';
import { Lease } from './lease.js';
import { LocatedFiles } from './located-files.js';
import { Namespace } from './namespace.js';
import { readFile } from './read-file.js';
import { ReadTimes } from './read-times.js';
import { NameNodeClient } from './rpc/name-node-client.js';
import { type Authentication, authenticationOf } from './security/authentication.js';
import { DataNodeConnector } from './transfer/data-node-connector.js';
import { DataNodes } from './transfer/data-nodes.js';
import { EncryptionKeys } from './transfer/encryption-keys.js';
import { PacketMemory } from './transfer/packet.js';
import { StreamPool } from './transfer/stream-pool.js';
import { type HdfsUrl, parseHdfsUrl } from './url.js';
import { writeFile } from './write-file.js';

export interface HdfsOptions {
  /** Who to be for HDFS. The URL's user unless given, else the user of this process. */
  readonly userName?: string;
  /** Where Hadoop's configuration and tokens are: HADOOP_CONF_DIR and others. This process's unless given. */
  readonly environment?: Environment;
  /** For a host that does not answer at all. 5 000. */
  readonly connectTimeoutMs?: number;
  /** For a NameNode's answer to a call. 30 000. */
  readonly answerTimeoutMs?: number;
  /** For a DataNode's answer to a question, and for each packet that it sends. 15 000. */
  readonly idleTimeoutMs?: number;
  /** For the word of all DataNodes of a pipeline that they take a block. 10 000. */
  readonly setupTimeoutMs?: number;
  /** For the next ack of a packet, while one is to come. 30 000. */
  readonly ackTimeoutMs?: number;
  /** For a connection and for an answer of each node of a pipeline that has fallen silent. 3 000. */
  readonly probeTimeoutMs?: number;
  readonly retry?: RetryPolicy;
}

const defaultConnectTimeoutMs = 5_000;
const defaultAnswerTimeoutMs = 30_000;
const defaultIdleTimeoutMs = 15_000;
const defaultSetupTimeoutMs = 10_000;
const defaultAckTimeoutMs = 30_000;
/** A node that is alive answers in milliseconds; under load it may wait for its disks. */
const defaultProbeTimeoutMs = 3_000;
/** Second requests under way at once, over all reads: where everything is slow, asking for all of it twice would make it slower. */
const maxHedgeCount = 8;

/**
 * Opens a store below a path of HDFS; the forms of `url` are in url.ts. The path need not exist. Throws `usage` for another URL, a
 * configuration that is wrong or a server that is no NameNode, `unavailable` when no NameNode is active, `permission-denied`
 * when the user proves nothing or may not look at the path.
 */
export async function openHdfsStore(url: string, options: HdfsOptions = {}): Promise<Store> {
  const parsed = parseHdfsUrl(url);
  const environment = options.environment ?? process.env;
  const cluster = await findCluster(parsed, environment);
  const userName = options.userName ?? parsed.userName;
  const authentication = await authenticationOf(cluster, userName, environment);
  const store = new HdfsStore(parsed, cluster, authentication, options);
  try {
    await store.checkRoot();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class HdfsStore implements Store {
  readonly url: string;
  /** The NameNode has them made from the copies that are alive. */
  readonly copiesComeLater = true;
  readonly can: StoreCapabilities = {
    raiseRedundancy: async (name, redundancy, options) => {
      checkStoreName(name);
      const copyCount = copyCountOf(name, redundancy);
      await this.#namespace.raiseReplication(this.#path(name), copyCount, options?.signal);
      this.#files.forget(this.#path(name));
    },
    sendFromThreads: true,
    describeCluster: (options) => clusterShape(this.#client, options?.signal),
  };
  readonly #rootPath: string;
  readonly #retry: Retry;
  readonly #client: NameNodeClient;
  readonly #namespace: Namespace;
  readonly #files: LocatedFiles;
  readonly #lease: Lease;
  readonly #dataNodes = new DataNodes();
  readonly #hedges = { times: new ReadTimes(), budget: new HedgeBudget(maxHedgeCount) };
  readonly #packetMemory = new PacketMemory();
  readonly #streams: StreamPool;
  readonly #idleTimeoutMs: number;
  readonly #timeouts: {
    readonly connector: DataNodeConnector;
    readonly setupTimeoutMs: number;
    readonly ackTimeoutMs: number;
    readonly probeTimeoutMs: number;
  };

  constructor(
    { rootPath, dataNodes }: HdfsUrl,
    { url, nameNodes, usesHostnames, transferProtections: protections }: Cluster,
    authentication: Authentication,
    options: HdfsOptions,
  ) {
    this.url = url;
    this.#rootPath = rootPath;
    const policy = options.retry ?? defaultRetryPolicy;
    this.#retry = createRetry(policy);
    const connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
    this.#client = new NameNodeClient({
      nameNodes: new NameNodes(nameNodes),
      authentication,
      connectTimeoutMs,
      answerTimeoutMs: options.answerTimeoutMs ?? defaultAnswerTimeoutMs,
      retry: createRetry(nameNodes.length > 1 ? failoverPolicy(policy) : policy),
    });
    const keys = new EncryptionKeys(this.#client);
    const connector = new DataNodeConnector({
      connectTimeoutMs,
      dataNodes,
      usesHostnames,
      protections,
      isProven: () => this.#client.isProven,
      encryptionKey: (isStale) => keys.key(isStale),
    });
    this.#timeouts = {
      connector,
      setupTimeoutMs: options.setupTimeoutMs ?? defaultSetupTimeoutMs,
      ackTimeoutMs: options.ackTimeoutMs ?? defaultAckTimeoutMs,
      probeTimeoutMs: options.probeTimeoutMs ?? defaultProbeTimeoutMs,
    };
    this.#namespace = new Namespace(this.#client);
    this.#files = new LocatedFiles(this.#client);
    this.#lease = new Lease(this.#client, `pars_${randomBytes(8).toString('hex')}`);
    this.#streams = new StreamPool(connector);
  }

  async checkRoot(): Promise<void> {
    const retry = { ...this.#retry, policy: openingPolicy(this.#retry.policy) };
    const root = await this.#namespace.status(this.#rootPath, undefined, retry);
    if (root && !isFolder(root)) {
      throw new ParsError('usage', `${this.url}: the path is a file, expected a folder or nothing`);
    }
  }

  readonly write: Store['write'] = async (name, content, options) => {
    checkStoreName(name);
    const wanted = copiesToWrite(name, options);
    return await writeFile(
      {
        client: this.#client,
        namespace: this.#namespace,
        dataNodes: this.#dataNodes,
        lease: this.#lease,
        packetMemory: this.#packetMemory,
        retry: this.#retry,
        timeouts: this.#timeouts,
      },
      this.#path(name),
      content,
      wanted,
    );
  };

  readonly read: Store['read'] = async (name, offsetBytes, sizeBytes, options) => {
    checkStoreName(name);
    return await readFile(
      {
        client: this.#client,
        files: this.#files,
        dataNodes: this.#dataNodes,
        streams: this.#streams,
        hedges: this.#hedges,
        clientName: this.#lease.holder,
        idleTimeoutMs: this.#idleTimeoutMs,
      },
      this.#path(name),
      offsetBytes,
      sizeBytes,
      options ?? {},
    );
  };

  /**
   * As the NameNode knows them: the copies on a DataNode that died are listed until its heartbeats have been missing
   * for 10.5 minutes (dfs.namenode.heartbeat.recheck-interval). `read` notices at once.
   */
  readonly blocks: Store['blocks'] = async (name, options) => {
    checkStoreName(name);
    const { blocks } = await this.#files.ask(this.#path(name), options?.signal);
    return blocks.map(({ offsetBytes, sizeBytes, locations, unreachable, coding }) => {
      return { offsetBytes, sizeBytes, locations, unreachable, coding };
    });
  };

  readonly storedBytes: Store['storedBytes'] = async (name, options) => {
    checkStoreName(name);
    return await this.#namespace.spaceConsumed(this.#path(name), options?.signal);
  };

  readonly stat: Store['stat'] = async (name, options) => {
    checkStoreName(name);
    const status = await this.#namespace.status(this.#path(name), options?.signal);
    const file = status && storedFile(name, entryOf(status));
    if (file?.problem !== undefined) {
      throw new ParsError('corrupt', `${name}: ${file.problem}`);
    }
    return file;
  };

  /** Includes what a killed writer left: names with `._uploading_.` in them. */
  readonly list: Store['list'] = async (folder, options) => {
    checkStoreFolder(folder);
    const entries = await this.#namespace
      .list(this.#path(folder), options?.signal)
      .catch((error: unknown) => {
        if (isNotFound(error)) {
          return [];
        }
        throw error;
      });
    const prefix = folder === '' ? '' : `${folder}/`;
    return entries
      .map(({ name, entry }) => storedFile(prefix + name, entryOf(entry)))
      .filter(({ name }) => isStoreName(name));
  };

  readonly rename: Store['rename'] = async (from, to, options) => {
    checkStoreName(from);
    checkStoreName(to);
    const signal = options?.signal;
    const [fromPath, toPath] = [this.#path(from), this.#path(to)];
    const rename = () => this.#namespace.rename(fromPath, toPath, signal);
    await rename().catch(async (error: unknown) => {
      // There is no `from`, or no folder for `to`, which would be made in vain for want of the first.
      if (!isNotFound(error) || !(await this.#namespace.status(fromPath, signal))) {
        throw error;
      }
      await this.#namespace.makeFolder(folderOf(toPath), signal);
      await rename();
    });
    this.#files.forget(fromPath);
    this.#files.forget(toPath);
  };

  readonly remove: Store['remove'] = async (name, options) => {
    checkStoreName(name);
    const path = this.#path(name);
    const signal = options?.signal;
    const only = options?.only;
    if (only === undefined) {
      await this.#namespace.remove(path, true, signal);
    } else {
      const found = await this.#namespace.status(path, signal);
      if (found === undefined) {
        return;
      }
      expectRemovable(path, isFolder(found), only);
      await this.#namespace.remove(path, false, signal);
    }
    this.#files.forget(path);
  };

  readonly close: Store['close'] = () => {
    this.#lease.close();
    this.#streams.close();
    this.#client.close();
    return Promise.resolve();
  };

  #path(name: string): string {
    return name === '' ? this.#rootPath : `${this.#rootPath}/${name}`;
  }
}
