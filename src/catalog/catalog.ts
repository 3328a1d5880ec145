// The snapshots of a store: listing, loading, publishing. The order of writes here is what makes a snapshot either whole
// or not there.
import { randomBytes } from 'node:crypto';
import { ParsError } from '../../introspect/pars-error.js';
import { decodeManifest, decodeManifestHeader, type HeaderResult } from '../manifest/decode.js';
import { firstReadBytes } from '../manifest/layout.js';
import { manifestFiles } from '../manifest/manifest-files.js';
import { compareText, olderFirst } from '../manifest/snapshot-order.js';
import type { HashedFile, Manifest, ManifestHeader } from '../manifest/types.js';
import { copies, type CopiesOrCode, copiesWorth } from '../store/redundancy.js';
import type { Store } from '../store/store.js';
import { expectHeaderOf, headerProblem } from './check-header.js';
import {
  bodyName,
  idDigitCount,
  idOfManifest,
  manifestName,
  partName,
  snapshotsFolder,
} from './names.js';
import { removeFilesOf, removeOwnFile } from './remove-own.js';

/** Requests to the store at a time while headers are read. */
const listConcurrency = 8;
/** Copies of a manifest and of attachments whose snapshot has no pages in an erasure code. */
export const manifestReplication = 3;

/** As critical as anything that it names: where packs in a code survive more losses than that, a manifest and attachments do too. */
export function replicationBeside(kept: Iterable<CopiesOrCode>): number {
  let most = manifestReplication;
  for (const { code } of kept) {
    most = code === undefined ? most : Math.max(most, copiesWorth(code));
  }
  return most;
}

/** Ids that an error lists. */
const namedIdCount = 8;
/** Largest piece asked of a store at once. */
const readSizeBytes = 4 * 2 ** 20;

export interface ListedSnapshot {
  readonly header: ManifestHeader;
  readonly manifestSizeBytes: number;
}

export interface SnapshotList {
  /** Oldest first. */
  readonly snapshots: readonly ListedSnapshot[];
  /** Manifests that could not be read, with the reason: never a reason to hide the others. */
  readonly unreadable: readonly { readonly id: string; readonly error: ParsError }[];
}

export function newSnapshotId(): string {
  return randomBytes(idDigitCount / 2).toString('hex');
}

/** Oldest first, and of one moment by id; what cannot be read by id. */
export async function listSnapshots(store: Store, signal?: AbortSignal): Promise<SnapshotList> {
  const snapshots: ListedSnapshot[] = [];
  const unreadable: { id: string; error: ParsError }[] = [];
  await visitSnapshots(
    store,
    {
      snapshot: (snapshot) => {
        snapshots.push(snapshot);
      },
      unreadable: (id, error) => {
        unreadable.push({ id, error });
      },
    },
    signal,
  );
  snapshots.sort((a, b) => olderFirst(a.header, b.header));
  return { snapshots, unreadable };
}

export interface SnapshotVisitor {
  readonly snapshot: (snapshot: ListedSnapshot) => void;
  readonly unreadable: (id: string, error: ParsError) => void;
  /** By the sizes of the manifests, of which only the beginnings are read. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** Shows each snapshot's header once, by id, and keeps none: for stores of many. */
export async function visitSnapshots(
  store: Store,
  visitor: SnapshotVisitor,
  signal?: AbortSignal,
): Promise<void> {
  const manifests = (await store.list(snapshotsFolder, { signal }))
    .flatMap(({ kind, name, sizeBytes, problem }) => {
      const id = idOfManifest(name);
      return id === undefined || kind === 'folder' ? [] : [{ id, name, sizeBytes, problem }];
    })
    .sort((a, b) => compareText(a.id, b.id));
  let next = 0;
  const totalBytes = manifests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  const read = async ({ id, name, sizeBytes, problem }: (typeof manifests)[number]) => {
    try {
      if (problem !== undefined) {
        throw new ParsError('corrupt', problem);
      }
      return expectHeaderOf(id, await readHeader(store, name, sizeBytes, signal));
    } catch (error) {
      if (!(error instanceof ParsError) || error.code === 'cancelled') {
        throw error;
      }
      return error;
    }
  };
  let turn = Promise.resolve();
  // As many at a time as there are workers, so that those which wait cost nothing.
  const work = async (): Promise<void> => {
    while (next < manifests.length) {
      const manifest = manifests[next++];
      const before = turn;
      const found = read(manifest);
      turn = Promise.allSettled([before, found]).then(() => undefined);
      const [, header] = await Promise.all([before, found]);
      if (!(header instanceof ParsError)) {
        visitor.snapshot({ header, manifestSizeBytes: manifest.sizeBytes });
      } else if (header.code !== 'not-found') {
        // One deleted meanwhile is no longer there to be listed.
        visitor.unreadable(manifest.id, header);
      }
      doneBytes += manifest.sizeBytes;
      visitor.progress?.(doneBytes, totalBytes);
    }
  };
  await Promise.all(Array.from({ length: listConcurrency }, work));
}

/** The one snapshot whose id begins so. Throws `not-found`, or `usage` when several do. */
export async function resolveId(store: Store, prefix: string): Promise<string> {
  if (!/^[0-9a-f]{1,16}$/.test(prefix)) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(prefix)} is no snapshot id: expected up to ${idDigitCount} hex digits, as \`pars list\` shows`,
    );
  }
  const ids = (await store.list(snapshotsFolder))
    .map(({ name }) => idOfManifest(name))
    .filter((id) => id?.startsWith(prefix));
  if (ids.length > 1) {
    const more = ids.length > namedIdCount ? ` and ${ids.length - namedIdCount} more` : '';
    throw new ParsError(
      'usage',
      `${prefix} could be ${ids.slice(0, namedIdCount).join(', ')}${more}: give more digits of the snapshot's id`,
    );
  }
  const id = ids[0];
  if (id === undefined) {
    throw new ParsError('not-found', `no snapshot ${prefix} in ${store.url}; see \`pars list\``);
  }
  return id;
}

/** Reads a whole manifest and its bodies, checked down to their strong hashes. */
export async function loadManifest(
  store: Store,
  id: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { header, fileSizeBytes, beginning } = await readOwnFile(store, id, signal);
  const [bytes, ...bodies] = await Promise.all([
    beginning.length === fileSizeBytes
      ? beginning
      : readWhole(store, manifestName(id), fileSizeBytes, signal),
    ...header.bodies.map((body) => readBody(store, body, signal)),
  ]);
  const manifest = decodeManifest(bytes, bodies);
  expectHeaderOf(id, manifest.header);
  return manifest;
}

/** What a manifest's own file says, without its bodies. Throws as `loadManifest`. */
export async function loadHeader(
  store: Store,
  id: string,
  signal?: AbortSignal,
): Promise<ManifestHeader> {
  return (await readOwnFile(store, id, signal)).header;
}

async function readOwnFile(store: Store, id: string, signal: AbortSignal | undefined) {
  const name = manifestName(id);
  const file = await store.stat(name, { signal });
  if (file === undefined) {
    throw new ParsError('not-found', `no snapshot ${id} in ${store.url}; see \`pars list\``);
  }
  const found = await readBeginning(store, name, file.sizeBytes, signal);
  if (file.sizeBytes !== found.fileSizeBytes) {
    throw new ParsError(
      'corrupt',
      `${name} has ${file.sizeBytes} bytes, and says that it has ${found.fileSizeBytes}`,
    );
  }
  // Names only lead on once they are known to be this snapshot's.
  return { ...found, header: expectHeaderOf(id, found.header) };
}

/** Throws as a store's `read`, but `corrupt` for a body that is not of the length that the manifest states. */
async function readBody(
  store: Store,
  { name, sizeBytes }: HashedFile,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const file = await store.stat(name, { signal });
  if (file === undefined) {
    throw new ParsError('data-lost', `${name}, the body of a manifest, is gone`);
  }
  if (file.sizeBytes !== sizeBytes) {
    throw new ParsError(
      'corrupt',
      `${name} has ${file.sizeBytes} bytes, and its manifest says that it has ${sizeBytes}`,
    );
  }
  return await readWhole(store, name, sizeBytes, signal);
}

/** `sizeBytes`: as the store says, not a file in it. */
async function readWhole(
  store: Store,
  name: string,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < bytes.length; at += readSizeBytes) {
    const length = Math.min(readSizeBytes, bytes.length - at);
    bytes.set(await store.read(name, at, length, { signal }), at);
  }
  return bytes;
}

export interface WrittenManifest {
  /** With the bodies that were written. */
  readonly manifest: Manifest;
  /** The length of the manifest's own file, without its bodies. */
  readonly manifestSizeBytes: number;
}

/** Writes a manifest's body, a base, and then the manifest beside its place, where no reader looks. */
export async function writeManifest(
  store: Store,
  unwritten: Manifest,
  blockSizeBytes: number,
  signal?: AbortSignal,
): Promise<WrittenManifest> {
  const { id } = unwritten.header;
  const { manifest, body, file } = manifestFiles(unwritten, bodyName(id));
  const problem = headerProblem(manifest.header, id);
  if (problem !== undefined) {
    throw new ParsError('usage', `manifest to be written: ${problem}`);
  }
  const write = (
    name: string,
    bytes: Uint8Array,
    nameTells: 'whole' | 'nothing',
  ): Promise<number> =>
    store.write(name, () => [bytes], {
      redundancy: copies(replicationBeside(manifest.header.packs)),
      // Read whole or not at all, so it must not be spread over blocks either.
      blockSizeBytes: Math.max(blockSizeBytes, Math.ceil(bytes.length / 512) * 512),
      nameTells,
      signal,
    });
  await write(bodyName(id), body, 'nothing');
  await write(partName(id), file, 'whole');
  return { manifest, manifestSizeBytes: file.length };
}

/** Makes a snapshot visible: its packs and its manifest must be in place. Throws `already-exists` when the id is taken. */
export async function publishManifest(
  store: Store,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  await store.rename(partName(id), manifestName(id), { signal });
}

/**
 * Removes what an upload that failed has left. Its manifest goes first: the store may have renamed it and only the
 * answer was lost, and a manifest must not outlive its packs.
 */
export async function removeUnpublished(store: Store, id: string): Promise<void> {
  await removeOwnFile(store, manifestName(id));
  await removeOwnFile(store, partName(id));
  await removeFilesOf(store, id);
}

async function readHeader(
  store: Store,
  name: string,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<ManifestHeader> {
  return (await readBeginning(store, name, sizeBytes, signal)).header;
}

type Beginning = Extract<HeaderResult, { readonly kind: 'complete' }> & {
  /** The bytes that were read: the whole file where it is short. */
  readonly beginning: Uint8Array;
};

async function readBeginning(
  store: Store,
  name: string,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<Beginning> {
  let length = Math.min(firstReadBytes, sizeBytes);
  for (;;) {
    const beginning = await store.read(name, 0, length, { signal });
    const result = decodeManifestHeader(beginning);
    if (result.kind === 'complete') {
      return { ...result, beginning };
    }
    if (result.neededBytes > sizeBytes) {
      throw new ParsError(
        'corrupt',
        `${name} has ${sizeBytes} bytes, its header alone needs ${result.neededBytes}`,
      );
    }
    length = result.neededBytes;
  }
}
