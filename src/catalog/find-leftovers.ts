// What is in a store without a snapshot: uploads that were killed leave it, and deletions that failed half-way. It looks
// like an upload under way, which nothing but its age tells apart.
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import type { Store, StoredFile } from '../store/store.js';
import { listSnapshots } from './catalog.js';
import { namersOf } from './delete-snapshots.js';
import {
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
  /** Of the snapshot that it was to become, or was. */
  readonly id: string;
  /** Manifests on their way. */
  readonly parts: readonly StoredFile[];
  /** Files of `packs/ID` that no manifest names; none where only the empty folder is left. */
  readonly files: readonly StoredFile[];
  /** When anything of it changed last, by the store's clock. */
  readonly modifiedMs: number;
}

export interface LeftoverSearch {
  /** Only what has not changed from then on. */
  readonly unchangedSinceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Longest untouched first. Throws when a manifest cannot be read: it might name any of the files. */
export async function findLeftovers(
  store: Store,
  { unchangedSinceMs, signal }: LeftoverSearch,
): Promise<readonly Leftover[]> {
  // Before the manifests, so that an upload that ends meanwhile is known by its manifest.
  const folders = (await store.list(packsFolder, { signal })).filter(isSnapshotFolder);
  const besideManifests = await store.list(snapshotsFolder, { signal });
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
  const ids = new Set([...folders.map(idOfFolder), ...idsOnTheirWay]);
  const limit = pLimit(concurrency);
  const found = await limit.map(ids, async (id): Promise<readonly Leftover[]> => {
    if (id === undefined || published.has(id)) {
      return [];
    }
    const parts = besideManifests.filter((_, index) => idsOnTheirWay[index] === id);
    const folder = folders.filter((entry) => idOfFolder(entry) === id);
    const inFolder = await store.list(packFolder(id), { signal });
    // What is no file is none of ours.
    const files = inFolder.filter(({ kind, name }) => kind === 'file' && !namers.has(name));
    const isNothing = parts.length + files.length === 0 && inFolder.length > 0;
    const modifiedMs = Math.max(
      ...[...parts, ...folder, ...inFolder].map((file) => file.modifiedMs),
    );
    return isNothing || modifiedMs >= unchangedSinceMs ? [] : [{ id, parts, files, modifiedMs }];
  });
  return found.flat().sort((a, b) => a.modifiedMs - b.modifiedMs);
}

function isSnapshotFolder(entry: StoredFile): boolean {
  return entry.kind === 'folder' && snapshotId.test(idOfFolder(entry));
}

function idOfFolder({ name }: StoredFile): string {
  return name.slice(packsFolder.length + 1);
}
