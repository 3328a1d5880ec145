// Where the blocks of a file are (GETFILEBLOCKLOCATIONS). Asked before every read: an OPEN that runs into a block
// without a live copy answers 200, then nothing for 20 seconds, then a truncated body.

import { codingOf } from '../hadoop/erasure-code.js';
import { KeptAnswers } from '../hadoop/kept-answers.js';
import type { ReadOptions } from '../read-options.js';
import type { StoredBlock } from '../store.js';
import { blockLocationsAnswer, fileStatusAnswer } from './answers.js';
import type { WebHdfsClient } from './client.js';

export class BlockLocations {
  readonly #client: WebHdfsClient;
  readonly #kept = new KeptAnswers<readonly StoredBlock[]>();

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
    this.#kept.keep(path, blocks);
    return blocks;
  }

  /** The blocks as they are now, or as they were a few seconds ago. */
  async recent(path: string, options: ReadOptions | undefined): Promise<readonly StoredBlock[]> {
    return this.#kept.recent(path) ?? (await this.ask(path, options));
  }

  /** To be called when the path changes or its locations proved wrong. */
  forget(path: string): void {
    this.#kept.forget(path);
  }
}
