// What is in a store without a snapshot: uploads that were killed leave it, and deletions that failed half-way. It looks
// like an upload under way; its age tells the two apart, and then a look at its claim for a while (watch-leftovers.ts).
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import { largestOf } from '../flow/largest.js';
import { compareText } from '../manifest/snapshot-order.js';
import { claimsFolder, codingFolder, type Store, type StoredFile } from '../store/store.js';
import { listSnapshots } from './catalog.js';
import { namersOf } from './delete-snapshots.js';
import {
  idOfClaim,
  idOfCoding,
  idOfManifest,
  idOfPart,
  packFolder,
  packsFolder,
  snapshotId,
  snapshotsFolder,
} from './names.js';

/** Requests to the store at a time. */
const concurrency = 8;

export interface Leftover {
  /** The id of the snapshot that the leftover was to become, or was. */
  readonly id: string;
  /** Manifests on their way. */
  readonly parts: readonly StoredFile[];
  /** Files of `packs/ID` that no manifest names, and packs on their way to it; none where only the empty folder is left. */
  readonly files: readonly StoredFile[];
  /** Claims of the upload: it may be under way. */
  readonly claims: readonly StoredFile[];
  /** True where the snapshot is there, and only the claim was left, or packs on their way. */
  readonly isPublished: boolean;
  /** When anything of it changed last, by the store's clock. */
  readonly modifiedMs: number;
}

export interface LeftoverSearch {
  /** Only what has not changed from then on, by the store's clock (store-clock.ts). */
  readonly unchangedSinceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Longest untouched first. Throws when a manifest cannot be read: it might name any of the files. */
export async function findLeftovers(
  store: Store,
  { unchangedSinceMs, signal }: LeftoverSearch,
): Promise<readonly Leftover[]> {
  const claims = (await store.list(claimsFolder, { signal })).filter(
    ({ kind, name }) => kind === 'file' && idOfClaim(name) !== undefined,
  );
  // Before the manifests, so that an upload that ends meanwhile is known by its manifest.
  const folders = (await store.list(packsFolder, { signal })).filter(isSnapshotFolder);
  const coding = await filesInCoding(store, signal);
  const besideManifests = (await store.list(snapshotsFolder, { signal })).filter(
    ({ kind }) => kind === 'file',
  );
  const { snapshots, unreadable } = await listSnapshots(store, signal);
  if (unreadable.length > 0) {
    const [{ id, error }] = unreadable;
    throw new ParsError(
      error.code,
      `nothing was removed: snapshot ${id} cannot be read and may name any file (${error.message})`,
      { cause: error },
    );
  }
  const namers = namersOf(snapshots);
  const published = new Set([
    ...snapshots.map(({ header }) => header.id),
    ...besideManifests.map(({ name }) => idOfManifest(name)),
  ]);
  const idsOnTheirWay = besideManifests.map(({ name }) => idOfPart(name));
  const ids = new Set([
    ...folders.map(idOfFolder),
    ...idsOnTheirWay,
    ...claims.map(({ name }) => idOfClaim(name)),
    ...coding.map(({ name }) => idOfCoding(name)),
  ]);
  const limit = pLimit(concurrency);
  const found = await limit.map(ids, async (id): Promise<readonly Leftover[]> => {
    if (id === undefined) {
      return [];
    }
    const ownClaims = claims.filter(({ name }) => idOfClaim(name) === id);
    const ownCoding = coding.filter(({ name }) => idOfCoding(name) === id);
    if (published.has(id)) {
      const leftover = { id, parts: [], files: ownCoding, claims: ownClaims, isPublished: true };
      const left = [...ownClaims, ...ownCoding];
      return left.length === 0 ? [] : oldEnough(leftover, left, unchangedSinceMs);
    }
    const parts = besideManifests.filter((_, index) => idsOnTheirWay[index] === id);
    const folder = folders.filter((entry) => idOfFolder(entry) === id);
    const inFolder = await store.list(packFolder(id), { signal });
    // What is no file is none of ours.
    const files = [
      ...inFolder.filter(({ kind, name }) => kind === 'file' && !namers.has(name)),
      ...ownCoding,
    ];
    const isNothing = parts.length + files.length + ownClaims.length === 0 && inFolder.length > 0;
    const leftover = { id, parts, files, claims: ownClaims, isPublished: false };
    const all = [...parts, ...folder, ...inFolder, ...ownClaims, ...ownCoding];
    return isNothing ? [] : oldEnough(leftover, all, unchangedSinceMs);
  });
  return found.flat().sort((a, b) => a.modifiedMs - b.modifiedMs || compareText(a.id, b.id));
}

/** Packs that a store codes on their way; none where it makes no such folders. */
async function filesInCoding(
  store: Store,
  signal: AbortSignal | undefined,
): Promise<readonly StoredFile[]> {
  const folders = (await store.list(codingFolder, { signal })).filter(
    ({ kind }) => kind === 'folder',
  );
  const files: StoredFile[] = [];
  for (const { name } of folders) {
    files.push(...(await store.list(name, { signal })));
  }
  return files.filter(({ kind, name }) => kind === 'file' && idOfCoding(name) !== undefined);
}

/** With its age; nothing when it is younger, or nobody can say. */
function oldEnough(
  leftover: Omit<Leftover, 'modifiedMs'>,
  all: readonly StoredFile[],
  unchangedSinceMs: number,
): readonly Leftover[] {
  const modifiedMs = largestOf(all.map((file) => file.modifiedMs));
  const isKnown = all.every(({ problem }) => problem === undefined);
  return isKnown && modifiedMs < unchangedSinceMs ? [{ ...leftover, modifiedMs }] : [];
}

function isSnapshotFolder(entry: StoredFile): boolean {
  return entry.kind === 'folder' && snapshotId.test(idOfFolder(entry));
}

function idOfFolder({ name }: StoredFile): string {
  return name.slice(packsFolder.length + 1);
}
