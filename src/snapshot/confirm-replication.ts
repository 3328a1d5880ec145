// Makes "stored at 3" a fact: asks the store where the copies are until every file has as many as it should.
//
// A file can be short of copies although its write succeeded: when a DataNode dies under the write, HDFS finishes with
// the copies that are left and makes the missing one later.
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { fewestPlaces, type UnderReplicated } from '../store/block-state.js';
import type { Store } from '../store/store.js';

const concurrency = 8;
/** A copy that all acknowledged is known to the NameNode within milliseconds; one that must be made takes seconds. */
const firstPollMs = 10;
const maxPollMs = 500;

interface StoredFileCopies {
  readonly name: string;
  readonly sizeBytes: number;
  /** Copies, or as many as a code is worth. */
  readonly replication: number;
}

/** Files still short of copies after `timeoutMs`, or at once where no more will come. */
export async function confirmReplication(
  store: Store,
  files: readonly StoredFileCopies[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<readonly UnderReplicated[]> {
  const deadline = store.copiesComeLater ? Date.now() + timeoutMs : 0;
  let open = files;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(maxPollMs, 2 * pollMs)) {
    const short = await underReplicated(store, open, signal);
    if (short.length === 0 || Date.now() >= deadline) {
      return short;
    }
    const names = new Set(short.map(({ name }) => name));
    open = open.filter(({ name }) => names.has(name));
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal });
  }
}

/** Files that have fewer live copies than they should, as the store sees it now. */
export async function underReplicated(
  store: Store,
  files: readonly StoredFileCopies[],
  signal?: AbortSignal,
): Promise<readonly UnderReplicated[]> {
  const limit = pLimit(concurrency);
  const checked = await Promise.all(
    files.map((file) =>
      limit(async (): Promise<UnderReplicated> => {
        const blocks = await store.blocks(file.name, { signal });
        if (blocks.length === 0 && file.sizeBytes > 0) {
          return { name: file.name, wanted: file.replication, found: 0 };
        }
        return { name: file.name, ...fewestPlaces(blocks, file.replication) };
      }),
    ),
  );
  return checked.filter(({ found, wanted }) => found < wanted);
}
