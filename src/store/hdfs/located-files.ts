// Where the blocks of a file are. Asked before every read, and kept for a moment, since a pack is read frame by frame. It may be
// old by that much, as the NameNode's own knowledge may be old by minutes: a dead DataNode is listed until its heartbeats have
// been missing for long enough.

import { ParsError } from '../../../introspect/pars-error.js';
import { codingOf } from '../hadoop/erasure-code.js';
import type { StoredBlock } from '../store.js';
import { fileCodingOf } from './file-status.js';
import { getBlockLocations } from './proto/client-namenode-protocol.js';
import type { LocatedBlock } from './proto/hdfs.js';
import type { NameNodeClient } from './rpc/name-node-client.js';
import { nameOf } from './transfer/data-nodes.js';

const keptMs = 5_000;
const keptCount = 1_000;

/** A block, and what a DataNode is to be told of it. */
export interface BlockOfFile extends StoredBlock {
  readonly located: LocatedBlock;
}

export interface LocatedFile {
  readonly blocks: readonly BlockOfFile[];
  /** What is stored is encrypted with a key of the file's. */
  readonly isEncrypted: boolean;
}

export class LocatedFiles {
  readonly #client: NameNodeClient;
  readonly #kept = new Map<string, { readonly file: LocatedFile; readonly atMs: number }>();

  constructor(client: NameNodeClient) {
    this.#client = client;
  }

  /** As the NameNode knows them now. Throws `not-found` for a missing file and for a folder. */
  async ask(path: string, signal: AbortSignal | undefined): Promise<LocatedFile> {
    const request = { src: path, offset: 0, length: Number.MAX_SAFE_INTEGER };
    const { locations } = await this.#client.call(getBlockLocations, request, { path, signal });
    if (locations === undefined) {
      throw new ParsError('not-found', `getBlockLocations ${path}: there is no such file`);
    }
    const coding = fileCodingOf(locations.ecPolicy);
    const blocks = locations.blocks
      .map((located): BlockOfFile => {
        const sizeBytes = located.b.numBytes ?? 0;
        return {
          offsetBytes: located.offset,
          sizeBytes,
          locations: located.corrupt ? [] : located.locs.map(nameOf),
          unreachable: [],
          coding: codingOf(coding, sizeBytes),
          located,
        };
      })
      .sort((a, b) => a.offsetBytes - b.offsetBytes);
    const file = { blocks, isEncrypted: locations.fileEncryptionInfo !== undefined };
    this.#kept.delete(path);
    this.#kept.set(path, { file, atMs: performance.now() });
    if (this.#kept.size > keptCount) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    return file;
  }

  /** The blocks of a file and where they are, now or a few seconds ago. */
  async recent(path: string, signal: AbortSignal | undefined): Promise<LocatedFile> {
    const kept = this.#kept.get(path);
    if (kept && performance.now() - kept.atMs < keptMs) {
      return kept.file;
    }
    return await this.ask(path, signal);
  }

  /** To be called when the path changes or its locations proved wrong. */
  forget(path: string): void {
    for (const key of this.#kept.keys()) {
      if (key === path || key.startsWith(`${path}/`)) {
        this.#kept.delete(key);
      }
    }
  }
}
