// The store on HDFS, over its REST interface, so that neither Java nor Hadoop's configuration is needed here.
//
// This file ties together: names are checked here, paths made, whole operations retried. How HDFS behaves where it
// matters is written where it is dealt with: data-nodes.ts (dead nodes), write-file.ts (half-written files),
// block-locations.ts (lost blocks), file-checksum.ts (what was stored).

import { ParsError } from '../../../introspect/pars-error.js';
import type { StoreCapabilities } from '../capabilities.js';
import { copyCountOf, fileToWrite } from '../check-write.js';
import { NameNodes } from '../hadoop/name-nodes.js';
import { expectRemovable, folderOf, isNotFound, storedFile } from '../hadoop/namespace.js';
import { nameOfProcess } from '../hadoop/process-user.js';
import {
  createRetry,
  defaultRetryPolicy,
  openingPolicy,
  retried,
  type RetryPolicy,
} from '../hadoop/retry.js';
import type { ReadOptions } from '../read-options.js';
import type { Store } from '../store.js';
import { checkStoreFolder, checkStoreName, isStoreName } from '../store-name.js';
import { entryOf, isFolder } from './answers.js';
import { BlockLocations } from './block-locations.js';
import { WebHdfsClient } from './client.js';
import { clusterShape } from './coding/cluster-shape.js';
import { CodedFolders } from './coding/coded-folders.js';
import { DataNodes } from './data-nodes.js';
import { HttpClient, type HttpClientOptions } from './http/http-client.js';
import { MadeFolders } from './made-folders.js';
import { Namespace } from './namespace.js';
import { readFile } from './read-file.js';
import { parseWebHdfsUrl, tokenVariable } from './url.js';
import { writeFile } from './write-file.js';

export interface WebHdfsOptions {
  /** Who to be for HDFS. The URL's `user.name` unless given, else the user of this process. */
  readonly userName?: string;
  /** Authenticates instead of the user name. The environment's PARS_WEBHDFS_TOKEN unless given. */
  readonly delegationToken?: string;
  /** Headers for every request, to NameNodes and DataNodes, for other ways to authenticate. */
  readonly headers?: NonNullable<HttpClientOptions['headers']>;
  /** Certificate authorities in PEM for swebhdfs, in place of Node's (to which NODE_EXTRA_CA_CERTS adds). */
  readonly ca?: string;
  /** For a host that does not answer at all. 5 000. */
  readonly connectTimeoutMs?: number;
  /** For a silence in the middle. 15 000: HDFS itself is silent for 20 s before it gives up on a block. */
  readonly idleTimeoutMs?: number;
  /** For a silence while writing, when HDFS may replace a dead DataNode. 120 000. */
  readonly writeIdleTimeoutMs?: number;
  /**
   * For the head of an answer, however it dribbles in, and the time over which an answer's body must come at the least
   * rate (transfer-bounds.ts). 30 000.
   */
  readonly answerTimeoutMs?: number;
  /** For a DataNode's word that it takes a file's content; one that hangs is left after it. 10 000. */
  readonly continueTimeoutMs?: number;
  readonly retry?: RetryPolicy;
}

const defaultConnectTimeoutMs = 5_000;
const defaultIdleTimeoutMs = 15_000;
const defaultWriteIdleTimeoutMs = 120_000;
const defaultAnswerTimeoutMs = 30_000;
const defaultContinueTimeoutMs = 10_000;

/**
 * Opens a store below a path of HDFS; `url` is webhdfs://HOST:PORT[,HOST:PORT]/PATH[?user.name=USER], swebhdfs:// for
 * TLS, and more of it is in url.ts. The path need not exist. Throws `usage` for another URL or a server that is not WebHDFS, `unavailable` when no
 * NameNode is active, `permission-denied` when the user may not look at the path.
 */
export async function openWebHdfsStore(url: string, options: WebHdfsOptions = {}): Promise<Store> {
  const { text, scheme, nameNodes, dataNodes, gatewayPath, rootPath, userName } =
    parseWebHdfsUrl(url);
  const delegationToken = options.delegationToken ?? process.env[tokenVariable];
  const http = new HttpClient({
    connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    ca: options.ca,
    headers: options.headers,
  });
  const client = new WebHdfsClient({
    http,
    nameNodes: new NameNodes(nameNodes),
    dataNodes,
    gatewayPath,
    scheme,
    userName:
      options.userName ??
      userName ??
      (delegationToken === undefined ? nameOfProcess('?user.name=USER') : ''),
    delegationToken,
    idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
    answerTimeoutMs: options.answerTimeoutMs ?? defaultAnswerTimeoutMs,
  });
  const store = new WebHdfsStore(text, rootPath, http, client, options);
  try {
    await store.checkRoot();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class WebHdfsStore implements Store {
  readonly url: string;
  /** The NameNode has them made from the copies that are alive. */
  readonly copiesComeLater = true;
  readonly can: StoreCapabilities = {
    raiseRedundancy: async (name, redundancy, options) => {
      checkStoreName(name);
      const copyCount = copyCountOf(name, redundancy);
      await this.#retried(options, () =>
        this.#namespace.raiseReplication(this.#path(name), copyCount, options?.signal),
      );
      this.#locations.forget(this.#path(name));
    },
    writeErasureCoded: true,
    describeCluster: (options) => clusterShape(this.#client, options?.signal),
  };
  readonly #rootPath: string;
  readonly #http: HttpClient;
  readonly #namespace: Namespace;
  readonly #folders: MadeFolders;
  readonly #codedFolders: CodedFolders;
  readonly #locations: BlockLocations;
  readonly #dataNodes: DataNodes;
  readonly #client: WebHdfsClient;
  readonly #retryPolicy: RetryPolicy;
  readonly #writeIdleTimeoutMs: number;
  readonly #continueTimeoutMs: number;

  constructor(
    url: string,
    rootPath: string,
    http: HttpClient,
    client: WebHdfsClient,
    options: WebHdfsOptions,
  ) {
    this.url = url;
    this.#rootPath = rootPath;
    this.#http = http;
    this.#client = client;
    this.#namespace = new Namespace(client);
    this.#folders = new MadeFolders(this.#namespace);
    this.#codedFolders = new CodedFolders(client, this.#namespace, rootPath);
    this.#locations = new BlockLocations(client);
    this.#dataNodes = new DataNodes(client);
    this.#retryPolicy = options.retry ?? defaultRetryPolicy;
    this.#writeIdleTimeoutMs = options.writeIdleTimeoutMs ?? defaultWriteIdleTimeoutMs;
    this.#continueTimeoutMs = options.continueTimeoutMs ?? defaultContinueTimeoutMs;
  }

  async checkRoot(): Promise<void> {
    const retry = createRetry(openingPolicy(this.#retryPolicy));
    const root = await retried(retry, undefined, () =>
      this.#namespace.status(this.#rootPath, undefined),
    );
    if (root && !isFolder(root)) {
      throw new ParsError('usage', `${this.url}: the path is a file, expected a folder or nothing`);
    }
  }

  readonly write: Store['write'] = async (name, content, options) => {
    checkStoreName(name);
    const wanted = fileToWrite(name, options);
    return await writeFile(
      {
        client: this.#client,
        dataNodes: this.#dataNodes,
        locations: this.#locations,
        namespace: this.#namespace,
        folders: this.#folders,
        codedFolders: this.#codedFolders,
        retry: createRetry(this.#retryPolicy),
        writeIdleTimeoutMs: this.#writeIdleTimeoutMs,
        continueTimeoutMs: this.#continueTimeoutMs,
      },
      this.#path(name),
      content,
      wanted,
    );
  };

  readonly read: Store['read'] = async (name, offsetBytes, sizeBytes, options) => {
    checkStoreName(name);
    const readers = { locations: this.#locations, dataNodes: this.#dataNodes };
    return await this.#retried(options, () =>
      readFile(readers, this.#path(name), offsetBytes, sizeBytes, options),
    );
  };

  /**
   * As the NameNode knows them: the copies on a DataNode that died are listed until its heartbeats have been missing
   * for 10.5 minutes (dfs.namenode.heartbeat.recheck-interval). `read` notices at once.
   */
  readonly blocks: Store['blocks'] = async (name, options) => {
    checkStoreName(name);
    return await this.#retried(options, () => this.#locations.ask(this.#path(name), options));
  };

  readonly storedBytes: Store['storedBytes'] = async (name, options) => {
    checkStoreName(name);
    return await this.#retried(options, () =>
      this.#namespace.spaceConsumed(this.#path(name), options?.signal),
    );
  };

  readonly stat: Store['stat'] = async (name, options) => {
    checkStoreName(name);
    const status = await this.#retried(options, () =>
      this.#namespace.status(this.#path(name), options?.signal),
    );
    const file = status && storedFile(name, entryOf(status));
    if (file?.problem !== undefined) {
      throw new ParsError('corrupt', `${name}: ${file.problem}`);
    }
    return file;
  };

  /** Includes what a killed writer left: names with `._uploading_.` in them. */
  readonly list: Store['list'] = async (folder, options) => {
    checkStoreFolder(folder);
    const statuses = await this.#retried(options, async () => {
      try {
        return await this.#namespace.list(this.#path(folder), options?.signal);
      } catch (error) {
        if (isNotFound(error)) {
          return [];
        }
        throw error;
      }
    });
    const prefix = folder === '' ? '' : `${folder}/`;
    return statuses
      .map((status) => storedFile(prefix + status.pathSuffix, entryOf(status)))
      .filter((file) => isStoreName(file.name));
  };

  readonly rename: Store['rename'] = async (from, to, options) => {
    checkStoreName(from);
    checkStoreName(to);
    const retry = createRetry(this.#retryPolicy);
    const signal = options?.signal;
    const [fromPath, toPath] = [this.#path(from), this.#path(to)];
    await this.#retried(options, async () => {
      // First, or the folder for `to` would be made in vain.
      if (await this.#namespace.status(fromPath, signal)) {
        await this.#namespace.makeFolder(folderOf(toPath), signal);
      }
    });
    await this.#namespace.rename(fromPath, toPath, retry, signal);
    this.#locations.forget(fromPath);
    this.#locations.forget(toPath);
  };

  readonly remove: Store['remove'] = async (name, options) => {
    checkStoreName(name);
    const path = this.#path(name);
    const signal = options?.signal;
    await this.#retried(options, async () => {
      if (options?.only === undefined) {
        await this.#namespace.remove(path, signal);
        return;
      }
      const found = await this.#namespace.status(path, signal);
      if (found === undefined) {
        return;
      }
      expectRemovable(path, isFolder(found), options.only);
      await this.#namespace.remove(path, signal, false);
    });
    this.#locations.forget(path);
  };

  readonly close: Store['close'] = () => {
    this.#http.close();
    return Promise.resolve();
  };

  #path(name: string): string {
    return name === '' ? this.#rootPath : `${this.#rootPath}/${name}`;
  }

  #retried<T>(options: ReadOptions | undefined, attempt: () => Promise<T>): Promise<T> {
    return retried(createRetry(this.#retryPolicy), options?.signal, attempt);
  }
}
