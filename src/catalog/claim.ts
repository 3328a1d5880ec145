// The claim of an upload: a file in the store from before its first pack until after its manifest has come. It says that
// somebody is at work, without any clock: its name has a count, and the upload gives it the next one every few seconds.
//
// Whoever prunes takes an upload for dead only when its claim has kept its count for a while by his own stopwatch
// (watch-leftovers.ts). Then he renames the claim, so one of the two gets it: either the upload renews it first and is left
// alone, or it is gone and the upload ends, at the latest before it publishes. An upload that slept for hours notices so.
//
// The order of an upload:  claim, packs, manifest on its way, claim seen, manifest in place, claim removed
// The order of pruning:    claim taken, manifest on its way removed, no manifest in place seen, packs removed, claim removed
//
// The upload looks for its claim after the manifest is on its way. If it is there, that manifest is removed only later, so
// the upload finds it gone, or the one who prunes finds the snapshot.
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { copies } from '../store/redundancy.js';
import { claimsFolder, type Store } from '../store/store.js';
import { claimName, idOfClaim, takenClaimName } from './names.js';
import { removeOwnFile } from './remove-own.js';

/** Often enough that several renewals may fail within `watchMs` of watch-leftovers.ts. */
export const renewalMs = 4_000;
/** An empty file has no block; HDFS asks for a size all the same, of 1 MiB or more. */
const blockSizeBytes = 2 ** 20;

export interface Claim {
  /** Aborted when the claim is lost: the upload is in vain from then on. */
  readonly lost: AbortSignal;
  /** Ends the renewals. Throws `unavailable` when the claim is lost, and what the store throws. To be called right before publishing. */
  confirm(): Promise<void>;
  /** Ends the renewals. */
  stop(): Promise<void>;
  /** Ends the renewals and removes the claim. */
  release(): Promise<void>;
}

/** Claims the upload and keeps the claim until `stop`, `release` or the signal, which breaks off a renewal too. */
export async function claimUpload(
  store: Store,
  id: string,
  signal?: AbortSignal,
  intervalMs = renewalMs,
): Promise<Claim> {
  let count = 0;
  await store.write(claimName(id, count), () => [], {
    redundancy: copies(1),
    blockSizeBytes,
    signal,
  });
  const lost = new AbortController();
  const ended = new AbortController();

  /** The count that the claim has by now. Of a renewal that failed, the store may have done it or do it yet. */
  const findCount = async (): Promise<number> => {
    for (const found of [count, count + 1]) {
      if ((await store.stat(claimName(id, found))) !== undefined) {
        return found;
      }
    }
    const problem = claimLost(id);
    lost.abort(problem);
    throw problem;
  };
  const renew = async (): Promise<void> => {
    try {
      await store.rename(claimName(id, count), claimName(id, count + 1), { signal });
      count++;
    } catch (error) {
      if (!(error instanceof ParsError && error.code === 'not-found')) {
        throw error;
      }
      // The store may have renamed it at an attempt whose answer was lost.
      count = await findCount();
    }
  };
  const isStopped = (): boolean =>
    ended.signal.aborted || lost.signal.aborted || signal?.aborted === true;
  const keep = async (): Promise<void> => {
    while (!isStopped()) {
      const options = { signal: ended.signal, ref: false };
      await sleep(intervalMs, undefined, options).catch(() => undefined);
      // A store that is away now may be back at the next; `confirm` has the last word.
      if (!isStopped()) {
        await renew().catch(() => undefined);
      }
    }
  };
  const keeping = keep();
  const stop = async (): Promise<void> => {
    ended.abort();
    await keeping;
  };
  return {
    lost: lost.signal,
    confirm: async () => {
      // Not amid a renewal, or the name would be the one or the other.
      await stop();
      if (lost.signal.aborted) {
        throw claimLost(id);
      }
      count = await findCount();
    },
    stop,
    release: async () => {
      await stop();
      await removeOwnFile(store, claimName(id, count));
      await removeOwnFile(store, claimName(id, count + 1));
    },
  };
}

/** Names of its claims: one, or what is left of writing it. */
export async function claimsOf(store: Store, id: string): Promise<readonly string[]> {
  for (let round = 0; ; round++) {
    const names = (await store.list(claimsFolder)).map(({ name }) => name);
    const own = names.filter((name) => idOfClaim(name) === id);
    // A renewal in between may hide it from one listing, not from two in a row.
    if (own.length > 0 || round > 0) {
      return own;
    }
  }
}

/** Takes the claim of an upload that is taken for dead. False when it was renewed, or ended, since it was seen. */
export async function takeClaim(store: Store, seenName: string, id: string): Promise<boolean> {
  const taken = takenClaimName(id);
  if (seenName === taken) {
    return true;
  }
  try {
    await store.rename(seenName, taken);
    return true;
  } catch (error) {
    if (error instanceof ParsError && error.code === 'not-found') {
      return false;
    }
    throw error;
  }
}

function claimLost(id: string): ParsError {
  return new ParsError(
    'unavailable',
    `the upload ${id} stood still for so long that \`pars prune\` took it for dead and removed what it had stored; ` +
      'no snapshot was made; upload it again',
  );
}
