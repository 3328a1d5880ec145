// What time it is where a store's files get their times. Ages of files are told by this clock and not by the host's, which
// may be off by a day: of HDFS it is the NameNode's. Of local disks it is the host's own, and there is no other.
import { randomBytes } from 'node:crypto';
import { ParsError } from '../../introspect/pars-error.js';
import { copies } from '../store/redundancy.js';
import { claimsFolder, type Store } from '../store/store.js';
import { clockName, isClockName } from './names.js';
import { removeOwnFile } from './remove-own.js';

const blockSizeBytes = 2 ** 20;
/** One of these that is so old was left by a process that was killed. */
const abandonedMs = 24 * 3600 * 1000;

/** Milliseconds since 1970. Writes an empty file and removes it. */
export async function storeTimeMs(store: Store, signal?: AbortSignal): Promise<number> {
  const name = clockName(randomBytes(8).toString('hex'));
  await store.write(name, () => [], { redundancy: copies(1), blockSizeBytes, signal });
  try {
    const inFolder = await store.list(claimsFolder, { signal });
    const nowMs = inFolder.find((file) => file.name === name)?.modifiedMs;
    if (nowMs === undefined) {
      throw new ParsError('unavailable', `${name} was written and is not there; try again`);
    }
    for (const file of inFolder) {
      if (isClockName(file.name) && nowMs - file.modifiedMs > abandonedMs) {
        await removeOwnFile(store, file.name);
      }
    }
    return nowMs;
  } finally {
    // What failed before is worth more than this.
    await removeOwnFile(store, name).catch(() => undefined);
  }
}
