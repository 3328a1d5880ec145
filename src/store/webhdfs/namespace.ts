// What the NameNode does alone: status, listing, folders, rename, remove. One attempt each; a rename has its own
// retries, because an attempt whose answer was lost must be recognised as done.

import { ParsError } from '../../../introspect/pars-error.js';
import { isNotFound, listByPage } from '../hadoop/namespace.js';
import { retried, type Retry } from '../hadoop/retry.js';
import {
  booleanAnswer,
  booleanOrNothing,
  contentSummaryAnswer,
  type FileStatus,
  fileStatusAnswer,
  listingAnswer,
} from './answers.js';
import type { WebHdfsClient } from './client.js';

/** Paths are absolute in HDFS, '' being the root folder. */
export class Namespace {
  readonly #client: WebHdfsClient;

  constructor(client: WebHdfsClient) {
    this.#client = client;
  }

  /** Undefined when there is nothing at the path. */
  async status(path: string, signal: AbortSignal | undefined): Promise<FileStatus | undefined> {
    try {
      const answer = await this.#client.ask(
        { method: 'GET', op: 'GETFILESTATUS', path, signal },
        fileStatusAnswer,
      );
      return answer.FileStatus;
    } catch (error) {
      if (isNotFound(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Bytes of a file on all DataNodes together, checksums not counted. */
  async spaceConsumed(path: string, signal: AbortSignal | undefined): Promise<number> {
    const operation = { method: 'GET', op: 'GETCONTENTSUMMARY', path, signal } as const;
    const { ContentSummary: summary } = await this.#client.ask(operation, contentSummaryAnswer);
    if (summary.directoryCount > 0) {
      throw new ParsError(
        'not-found',
        `GETCONTENTSUMMARY ${path}: expected a file, found a folder`,
      );
    }
    return summary.spaceConsumed;
  }

  /** What lies directly below a folder, in the order of names; of a file the file itself, with an empty name. */
  async list(path: string, signal: AbortSignal | undefined): Promise<readonly FileStatus[]> {
    const doing = `LISTSTATUS_BATCH ${path}`;
    const found = await listByPage(doing, async (last: FileStatus | undefined) => {
      const startAfter = last?.pathSuffix ?? '';
      const query = startAfter === '' ? {} : { startAfter };
      const { DirectoryListing: page } = await this.#client.ask(
        { method: 'GET', op: 'LISTSTATUS_BATCH', path, query, signal },
        listingAnswer,
      );
      return {
        entries: page.partialListing.FileStatuses.FileStatus.map((entry) => ({
          name: entry.pathSuffix,
          entry,
        })),
        remainingCount: page.remainingEntries,
      };
    });
    return found.map(({ entry }) => entry);
  }

  /** With its parents, for the owner's eyes only; those that exist keep their permissions. */
  async makeFolder(path: string, signal: AbortSignal | undefined): Promise<void> {
    if (path === '') {
      return;
    }
    const query = { permission: '700' };
    const operation = { method: 'PUT', op: 'MKDIRS', path, query, signal } as const;
    const answer = await this.#client.ask(operation, booleanAnswer);
    if (!answer.boolean) {
      throw new ParsError('unavailable', `MKDIRS ${path}: HDFS did not make it`);
    }
  }

  /** The contract of StoreCapabilities.raiseRedundancy, one attempt. */
  async raiseReplication(
    path: string,
    copyCount: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const found = await this.status(path, signal);
    if (found?.type !== 'FILE') {
      throw new ParsError(
        'not-found',
        `SETREPLICATION ${path}: expected a file, found ${found?.type ?? 'nothing'}`,
      );
    }
    if (found.ecBit === true || found.ecPolicy !== undefined) {
      throw new ParsError(
        'unsupported',
        `SETREPLICATION ${path}: expected a file of whole copies, found one that HDFS keeps by the erasure code ` +
          `${found.ecPolicy ?? 'of its folder'}; write it anew in a folder without one`,
      );
    }
    if (found.replication !== undefined && found.replication >= copyCount) {
      return;
    }
    const query = { replication: String(copyCount) };
    const operation = { method: 'PUT', op: 'SETREPLICATION', path, query, signal } as const;
    if ((await this.#client.ask(operation, booleanAnswer)).boolean) {
      return;
    }
    // So HDFS answers for what is no file of whole copies, as when the file went meanwhile; asked again, the status says which.
    throw new ParsError('unavailable', `SETREPLICATION ${path}: HDFS refused without a reason`);
  }

  /** False when there was nothing. `already-exists` for a folder that has something below it, unless `recursive`. */
  async remove(path: string, signal: AbortSignal | undefined, recursive = true): Promise<boolean> {
    const query = { recursive: String(recursive) };
    const operation = { method: 'DELETE', op: 'DELETE', path, query, signal } as const;
    return (await this.#client.ask(operation, booleanAnswer)).boolean;
  }

  /** The contract of Store.rename, but the folder of `to` must exist. Retried. */
  async rename(
    from: string,
    to: string,
    retry: Retry,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const source = await retried(retry, signal, () => this.status(from, signal));
    if (!source) {
      throw new ParsError('not-found', `RENAME ${from}: there is nothing to rename`);
    }
    let attemptCount = 0;
    await retried(retry, signal, async () => {
      attemptCount++;
      try {
        await this.#renameOnce(from, to, signal);
      } catch (error) {
        // The inode keeps its number, so it tells whether an earlier attempt did it after all.
        const isRefused = isNotFound(error) || isAlreadyExists(error);
        if (!isRefused || attemptCount === 1 || source.fileId === undefined) {
          throw error;
        }
        if ((await this.status(to, signal))?.fileId !== source.fileId) {
          throw error;
        }
      }
    });
  }

  async #renameOnce(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
    // Without options a rename onto a folder moves into it, and every failure is the same {"boolean": false}.
    const query = { destination: to, renameoptions: 'NONE' };
    const operation = { method: 'PUT', op: 'RENAME', path: from, query, signal } as const;
    const answer = await this.#client.ask(operation, booleanOrNothing);
    if (answer?.boolean !== false) {
      return;
    }
    // HttpFS does not know the options.
    if (await this.status(to, signal)) {
      throw new ParsError('already-exists', `RENAME ${from}: ${to} exists, nothing was renamed`);
    }
    if (!(await this.status(from, signal))) {
      throw new ParsError('not-found', `RENAME ${from}: there is nothing to rename`);
    }
    throw new ParsError('unavailable', `RENAME ${from} to ${to}: HDFS refused without a reason`);
  }
}

function isAlreadyExists(error: unknown): boolean {
  return error instanceof ParsError && error.code === 'already-exists';
}
