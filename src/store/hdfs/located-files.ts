// Where the blocks of a file are. Asked before every read, unless it was asked a moment ago.

import { ParsError } from '../../../introspect/pars-error.js';
import { codingOf } from '../hadoop/erasure-code.js';
import { KeptAnswers } from '../hadoop/kept-answers.js';
import type { StoredBlock } from '../store.js';
import { fileCodingOf } from './file-status.js';
import { getBlockLocations } from './proto/client-namenode-protocol.js';
import type { DatanodeInfo, LocatedBlock } from './proto/hdfs.js';
import type { NameNodeClient } from './rpc/name-node-client.js';
import { nameOf } from './transfer/data-nodes.js';

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
  readonly #kept = new KeptAnswers<LocatedFile>();

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
          locations: located.corrupt ? [] : unitsOf(located).map(nameOf),
          unreachable: [],
          coding: codingOf(coding, sizeBytes),
          located,
        };
      })
      .sort((a, b) => a.offsetBytes - b.offsetBytes);
    const file = { blocks, isEncrypted: locations.fileEncryptionInfo !== undefined };
    this.#kept.keep(path, file);
    return file;
  }

  /** The blocks of a file and where they are, now or a few seconds ago. */
  async recent(path: string, signal: AbortSignal | undefined): Promise<LocatedFile> {
    return this.#kept.recent(path) ?? (await this.ask(path, signal));
  }

  /** To be called when the path changes or its locations proved wrong. */
  forget(path: string): void {
    this.#kept.forget(path);
  }
}

/** The nodes of copies; of a coded block one for each unit, which two have for a while when a node comes back. */
function unitsOf({ locs, blockIndices }: LocatedBlock): readonly DatanodeInfo[] {
  const units = new Set<number>();
  return locs.filter((_, place) => {
    const unit = blockIndices?.at(place);
    const isKnown = unit !== undefined && units.has(unit);
    if (unit !== undefined) {
      units.add(unit);
    }
    return !isKnown;
  });
}
