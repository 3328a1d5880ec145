// Where the blocks of a file are (GETFILEBLOCKLOCATIONS). Asked before every read: an OPEN that runs into a block
// without a live copy answers 200, then nothing for 20 seconds, then a truncated body.
//
// A pack is read frame by frame, so the answer is kept for a moment. It may be old by that much, as the NameNode's own
// knowledge may be old by minutes: a dead DataNode is listed until its heartbeats have been missing for long enough.

import { codingOf } from '../hadoop/erasure-code.js';
import type { ReadOptions } from '../read-options.js';
import type { StoredBlock } from '../store.js';
import { blockLocationsAnswer, fileStatusAnswer } from './answers.js';
import type { WebHdfsClient } from './client.js';

const keptMs = 5_000;
const keptCount = 1_000;

export class BlockLocations {
  readonly #client: WebHdfsClient;
  readonly #kept = new Map<
    string,
    { readonly blocks: readonly StoredBlock[]; readonly atMs: number }
  >();

  constructor(client: WebHdfsClient) {
    this.#client = client;
  }

  /** As the NameNode knows them now. Throws `not-found` for a missing file and for a folder. */
  async ask(path: string, options: ReadOptions | undefined): Promise<readonly StoredBlock[]> {
    const signal = options?.signal;
    const [{ BlockLocations }, { FileStatus: status }] = await Promise.all([
      this.#client.ask(
        { method: 'GET', op: 'GETFILEBLOCKLOCATIONS', path, signal },
        blockLocationsAnswer,
      ),
      // The locations do not say whether they are of copies or of a code's units.
      this.#client.ask({ method: 'GET', op: 'GETFILESTATUS', path, signal }, fileStatusAnswer),
    ]);
    const blocks = BlockLocations.BlockLocation.map((block) => ({
      offsetBytes: block.offset,
      sizeBytes: block.length,
      locations: block.corrupt ? [] : block.names,
      unreachable: [],
      coding: codingOf(status, block.length),
    })).sort((a, b) => a.offsetBytes - b.offsetBytes);
    this.#kept.delete(path);
    this.#kept.set(path, { blocks, atMs: performance.now() });
    if (this.#kept.size > keptCount) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    return blocks;
  }

  /** The blocks as they are now, or as they were a few seconds ago. */
  async recent(path: string, options: ReadOptions | undefined): Promise<readonly StoredBlock[]> {
    const kept = this.#kept.get(path);
    if (kept && performance.now() - kept.atMs < keptMs) {
      return kept.blocks;
    }
    return await this.ask(path, options);
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
