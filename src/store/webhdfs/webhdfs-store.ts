// The store on HDFS, over its REST interface, so that neither Java nor Hadoop's configuration is needed here.
//
// This file ties together: names are checked here, paths made, whole operations retried. How HDFS behaves where it
// matters is written where it is dealt with: data-nodes.ts (dead nodes), write-file.ts (half-written files),
// block-locations.ts (lost blocks), file-checksum.ts (what was stored).

import { userInfo } from 'node:os';

import { ParsError } from '../../../introspect/pars-error.js';
import { checkStoreFolder, checkStoreName } from '../store-name.js';
import type {
  ReadOptions,
  RemoveOptions,
  Store,
  StoredBlock,
  StoredFile,
  WriteOptions,
} from '../store.js';
import { type FileStatus, statusProblem } from './answers.js';
import { BlockLocations } from './block-locations.js';
import { WebHdfsClient } from './client.js';
import { DataNodes } from './data-nodes.js';
import { HttpClient, type HttpClientOptions } from './http-client.js';
import { NameNodes } from './name-nodes.js';
import { isNotFound, Namespace } from './namespace.js';
import { readFile } from './read-file.js';
import { createRetry, defaultRetryPolicy, retried, type RetryPolicy } from './retry.js';
import { parseWebHdfsUrl } from './url.js';
import { writeFile, type Content } from './write-file.js';

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
/** A wrong host or port should be reported soon, and most failures to open are one. */
const openAttemptCount = 4;

/**
 * Opens a store below a path of HDFS; `url` is webhdfs://HOST:PORT[,HOST:PORT]/PATH[?user.name=USER], swebhdfs:// for
 * TLS, and more of it is in url.ts. The path need not exist. Throws `usage` for another URL or a server that is not WebHDFS, `unavailable` when no
 * NameNode is active, `permission-denied` when the user may not look at the path.
 */
export async function openWebHdfsStore(url: string, options: WebHdfsOptions = {}): Promise<Store> {
  const { text, scheme, nameNodes, dataNodes, gatewayPath, rootPath, userName } =
    parseWebHdfsUrl(url);
  const delegationToken = options.delegationToken ?? process.env['PARS_WEBHDFS_TOKEN'];
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
      options.userName ?? userName ?? (delegationToken === undefined ? nameOfProcess() : ''),
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

/** Throws `usage` where the user of this process has only a number, as in a container that runs as any user. */
function nameOfProcess(): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new ParsError(
      'usage',
      `the user ${process.getuid?.() ?? ''} of this process has no name in the password file, and HDFS knows users by ` +
        "name: give it in the store's URL, as ?user.name=USER",
      { cause },
    );
  }
}

class WebHdfsStore implements Store {
  readonly url: string;
  /** The NameNode has them made from the copies that are alive. */
  readonly copiesComeLater = true;
  readonly #rootPath: string;
  readonly #http: HttpClient;
  readonly #namespace: Namespace;
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
    this.#locations = new BlockLocations(client);
    this.#dataNodes = new DataNodes(client);
    this.#retryPolicy = options.retry ?? defaultRetryPolicy;
    this.#writeIdleTimeoutMs = options.writeIdleTimeoutMs ?? defaultWriteIdleTimeoutMs;
    this.#continueTimeoutMs = options.continueTimeoutMs ?? defaultContinueTimeoutMs;
  }

  async checkRoot(): Promise<void> {
    const attemptCount = Math.min(openAttemptCount, this.#retryPolicy.attemptCount);
    const retry = createRetry({ ...this.#retryPolicy, attemptCount });
    const root = await retried(retry, undefined, () =>
      this.#namespace.status(this.#rootPath, undefined),
    );
    if (root && !isFolder(root)) {
      throw new ParsError('usage', `${this.url}: the path is a file, expected a folder or nothing`);
    }
  }

  async write(name: string, content: Content, options: WriteOptions): Promise<number> {
    checkStoreName(name);
    checkWriteOptions(name, options);
    return await writeFile(
      {
        client: this.#client,
        dataNodes: this.#dataNodes,
        locations: this.#locations,
        namespace: this.#namespace,
        retry: createRetry(this.#retryPolicy),
        writeIdleTimeoutMs: this.#writeIdleTimeoutMs,
        continueTimeoutMs: this.#continueTimeoutMs,
      },
      this.#path(name),
      content,
      options,
    );
  }

  async read(
    name: string,
    offsetBytes: number,
    sizeBytes: number,
    options?: ReadOptions,
  ): Promise<Uint8Array> {
    checkStoreName(name);
    const readers = { locations: this.#locations, dataNodes: this.#dataNodes };
    return await this.#retried(options, () =>
      readFile(readers, this.#path(name), offsetBytes, sizeBytes, options),
    );
  }

  /**
   * As the NameNode knows them: the copies on a DataNode that died are listed until its heartbeats have been missing
   * for 10.5 minutes (dfs.namenode.heartbeat.recheck-interval). `read` notices at once.
   */
  async blocks(name: string, options?: ReadOptions): Promise<readonly StoredBlock[]> {
    checkStoreName(name);
    return await this.#retried(options, () => this.#locations.ask(this.#path(name), options));
  }

  async storedBytes(name: string, options?: ReadOptions): Promise<number> {
    checkStoreName(name);
    return await this.#retried(options, () =>
      this.#namespace.spaceConsumed(this.#path(name), options?.signal),
    );
  }

  async stat(name: string, options?: ReadOptions): Promise<StoredFile | undefined> {
    checkStoreName(name);
    const status = await this.#retried(options, () =>
      this.#namespace.status(this.#path(name), options?.signal),
    );
    const file = status && storedFile(name, status);
    if (file?.problem !== undefined) throw new ParsError('corrupt', `${name}: ${file.problem}`);
    return file;
  }

  /** Includes what a killed writer left: names with `._uploading_.` in them. */
  async list(folder: string, options?: ReadOptions): Promise<readonly StoredFile[]> {
    checkStoreFolder(folder);
    const statuses = await this.#retried(options, async () => {
      try {
        return await this.#namespace.list(this.#path(folder), options?.signal);
      } catch (error) {
        if (isNotFound(error)) return [];
        throw error;
      }
    });
    const prefix = folder === '' ? '' : `${folder}/`;
    return statuses
      .map((status) => storedFile(prefix + status.pathSuffix, status))
      .filter((file) => isStoreName(file.name));
  }

  async rename(from: string, to: string, options?: ReadOptions): Promise<void> {
    checkStoreName(from);
    checkStoreName(to);
    const retry = createRetry(this.#retryPolicy);
    const signal = options?.signal;
    const [fromPath, toPath] = [this.#path(from), this.#path(to)];
    await this.#retried(options, async () => {
      // First, or the folder for `to` would be made in vain.
      if (await this.#namespace.status(fromPath, signal)) {
        await this.#namespace.makeFolder(toPath.slice(0, toPath.lastIndexOf('/')), signal);
      }
    });
    await this.#namespace.rename(fromPath, toPath, retry, signal);
    this.#locations.forget(fromPath);
    this.#locations.forget(toPath);
  }

  async remove(name: string, options?: RemoveOptions): Promise<void> {
    checkStoreName(name);
    const path = this.#path(name);
    const signal = options?.signal;
    await this.#retried(options, async () => {
      if (options?.only === undefined) {
        await this.#namespace.remove(path, signal);
        return;
      }
      const found = await this.#namespace.status(path, signal);
      if (found === undefined) return;
      if (isFolder(found) !== (options.only === 'empty-folder')) {
        const kind = isFolder(found) ? 'a folder' : 'a file';
        throw new ParsError('usage', `${path}: it is ${kind}, and was to be removed as another`);
      }
      await this.#namespace.remove(path, signal, false);
    });
    this.#locations.forget(path);
  }

  close(): Promise<void> {
    this.#http.close();
    return Promise.resolve();
  }

  #path(name: string): string {
    return name === '' ? this.#rootPath : `${this.#rootPath}/${name}`;
  }

  #retried<T>(options: ReadOptions | undefined, attempt: () => Promise<T>): Promise<T> {
    return retried(createRetry(this.#retryPolicy), options?.signal, attempt);
  }
}

function storedFile(name: string, status: FileStatus): StoredFile {
  const kind = isFolder(status) ? 'folder' : 'file';
  const problem = statusProblem(status);
  if (problem !== undefined) return { name, kind, sizeBytes: 0, modifiedMs: 0, problem };
  return {
    name,
    kind,
    sizeBytes: kind === 'folder' ? 0 : status.length,
    modifiedMs: status.modificationTime,
  };
}

function isFolder(status: FileStatus): boolean {
  return status.type === 'DIRECTORY';
}

/** Other programs may have put files there that this interface cannot name. */
function isStoreName(name: string): boolean {
  try {
    checkStoreName(name);
    return true;
  } catch {
    return false;
  }
}

function checkWriteOptions(name: string, { replication, blockSizeBytes }: WriteOptions): void {
  if (!Number.isInteger(replication) || replication < 1) {
    throw new ParsError(
      'usage',
      `${name}: expected a replication of 1 or more, found ${replication}`,
    );
  }
  if (!Number.isInteger(blockSizeBytes) || blockSizeBytes <= 0 || blockSizeBytes % 512 !== 0) {
    throw new ParsError(
      'usage',
      `${name}: expected a block size that is a multiple of 512 bytes, found ${blockSizeBytes}`,
    );
  }
}
