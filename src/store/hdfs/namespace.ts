// What the NameNode does alone: status, listing, folders, rename, remove. Each call is made until it is answered.

import { ParsError } from '../../../introspect/pars-error.js';
import { isNotFound, listByPage } from '../hadoop/namespace.js';
import type { Retry } from '../hadoop/retry.js';
import { fileCodingOf, isFolder } from './file-status.js';
import {
  deleteFile,
  getContentSummary,
  getFileInfo,
  getListing,
  mkdirs,
  rename2,
  setReplication,
} from './proto/client-namenode-protocol.js';
import type { HdfsFileStatus } from './proto/hdfs.js';
import type { NameNodeClient } from './rpc/name-node-client.js';

/** For the owner's eyes only. */
const folderPermission = { perm: 0o700 };

/** Paths are absolute in HDFS, '' being the root folder. */
export class Namespace {
  readonly #client: NameNodeClient;

  constructor(client: NameNodeClient) {
    this.#client = client;
  }

  /** Undefined when there is nothing at the path. */
  async status(
    path: string,
    signal: AbortSignal | undefined,
    retry?: Retry,
  ): Promise<HdfsFileStatus | undefined> {
    const options = { path, signal, ...(retry === undefined ? {} : { retry }) };
    try {
      return (await this.#client.call(getFileInfo, { src: srcOf(path) }, options)).fs;
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Bytes of a file on all DataNodes together, checksums not counted. */
  async spaceConsumed(path: string, signal: AbortSignal | undefined): Promise<number> {
    const request = { path: srcOf(path) };
    const { summary } = await this.#client.call(getContentSummary, request, { path, signal });
    if (summary.directoryCount > 0) {
      throw new ParsError(
        'not-found',
        `getContentSummary ${path}: expected a file, found a folder`,
      );
    }
    return summary.spaceConsumed;
  }

  /** What lies directly below a folder, by names in the order of their bytes; nothing where there is no folder. */
  async list(
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly { readonly name: string; readonly entry: HdfsFileStatus }[]> {
    return await listByPage(`getListing ${path}`, async (last: HdfsFileStatus | undefined) => {
      const startAfter = last?.path ?? new Uint8Array();
      const request = { src: srcOf(path), startAfter, needLocation: false };
      const { dirList } = await this.#client.call(getListing, request, { path, signal });
      return (
        dirList && {
          entries: dirList.partialListing.map((entry) => ({
            name: Buffer.from(entry.path).toString(),
            entry,
          })),
          remainingCount: dirList.remainingEntries,
        }
      );
    });
  }

  /** With its parents; those that exist keep their permissions. */
  async makeFolder(path: string, signal: AbortSignal | undefined): Promise<void> {
    if (path === '') {
      return;
    }
    const request = { src: path, masked: folderPermission, createParent: true };
    const { result } = await this.#client.call(mkdirs, request, { path, signal });
    if (!result) {
      throw new ParsError('unavailable', `mkdirs ${path}: HDFS did not make it`);
    }
  }

  /** The contract of StoreCapabilities.raiseRedundancy. */
  async raiseReplication(
    path: string,
    copyCount: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const found = await this.status(path, signal);
    if (found === undefined || isFolder(found)) {
      throw new ParsError(
        'not-found',
        `setReplication ${path}: expected a file, found ${found === undefined ? 'nothing' : 'a folder'}`,
      );
    }
    if (found.ecPolicy !== undefined) {
      throw new ParsError(
        'unsupported',
        `setReplication ${path}: expected a file of whole copies, found one that HDFS keeps by the erasure code ` +
          `${fileCodingOf(found.ecPolicy).ecPolicy ?? 'of its folder'}; write it anew`,
      );
    }
    if ((found.blockReplication ?? 0) >= copyCount) {
      return;
    }
    const request = { src: path, replication: copyCount };
    const { result } = await this.#client.call(setReplication, request, { path, signal });
    if (result) {
      return;
    }
    // So HDFS answers for what is no file of whole copies, as when the file went meanwhile.
    throw new ParsError('unavailable', `setReplication ${path}: HDFS refused without a reason`);
  }

  /** Nothing happens when there is nothing. `already-exists` for a folder that has something below it, unless `recursive`. */
  async remove(
    path: string,
    recursive: boolean,
    signal: AbortSignal | undefined,
    retry?: Retry,
  ): Promise<void> {
    const options = { path, signal, ...(retry === undefined ? {} : { retry }) };
    await this.#client.call(deleteFile, { src: path, recursive }, options);
  }

  /** The contract of Store.rename, but the folder of `to` must exist. */
  async rename(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    const request = { src: from, dst: to, overwriteDest: false };
    await this.#client.call(rename2, request, { path: from, signal });
  }
}

function srcOf(path: string): string {
  return path === '' ? '/' : path;
}
