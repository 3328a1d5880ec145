// Every file of a snapshot as the store has it: whether it is what was written, and where its live copies are.
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import { replicationBeside } from '../catalog/catalog.js';
import { manifestName } from '../catalog/names.js';
import type { ManifestHeader } from '../manifest/types.js';
import { copiesWorth, redundancyOf } from '../store/redundancy.js';
import type { Store } from '../store/store.js';
import { type FileBeside, type FileCopies, lostBlock } from './file-copies.js';

/** Requests in flight. */
const concurrency = 8;

export interface LocatedFiles {
  /** In the order of the header. */
  readonly packs: readonly FileCopies[];
  /** The attachments, then the manifest's bodies and the manifest. */
  readonly beside: readonly FileBeside[];
  /** Files of another length than the manifest states, or missing, each with what was found. */
  readonly wrong: readonly WrongFile[];
}

export interface WrongFile {
  readonly name: string;
  /** A sentence. */
  readonly found: string;
}

interface ExpectedFile {
  readonly name: string;
  /** Undefined where nothing says it. */
  readonly sizeBytes?: number;
  readonly replication: number;
}

export async function locateFiles(
  store: Store,
  { id, packs, bodies, attachments }: ManifestHeader,
  signal: AbortSignal | undefined,
): Promise<LocatedFiles> {
  const limit = pLimit(concurrency);
  const wrong: WrongFile[] = [];
  const locate = (file: ExpectedFile): Promise<FileCopies> =>
    limit(async () => {
      const { name, replication } = file;
      const problem = await findProblem(store, file, signal);
      if (problem !== undefined) {
        wrong.push({ name, found: problem });
        return { name, replication, blocks: [lostBlock] };
      }
      return { name, replication, blocks: await locateBlocks(store, name, signal) };
    });
  const beside = [
    ...attachments.map(({ role, name, sizeBytes }) => ({ role, name, sizeBytes })),
    ...bodies.map(({ name, sizeBytes }) => ({ role: 'body', name, sizeBytes })),
    // Its own length it does not state; it has just been read and checked.
    { role: 'manifest', name: manifestName(id) },
  ];
  const [locatedPacks, locatedBeside] = await Promise.all([
    Promise.all(
      packs.map(async (pack) => ({
        ...(await locate({ ...pack, replication: copiesWorth(redundancyOf(pack)) })),
        code: pack.code,
      })),
    ),
    Promise.all(
      beside.map(async ({ role, ...file }) => ({
        role,
        ...(await locate({ ...file, replication: replicationBeside(packs) })),
      })),
    ),
  ]);
  return {
    packs: locatedPacks,
    beside: locatedBeside,
    wrong: wrong.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

async function findProblem(
  store: Store,
  { name, sizeBytes }: ExpectedFile,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (sizeBytes === undefined) {
    return undefined;
  }
  const file = await store.stat(name, { signal });
  if (file === undefined) {
    return `${name} is missing`;
  }
  return file.sizeBytes === sizeBytes
    ? undefined
    : `${name} has ${file.sizeBytes} bytes, ${sizeBytes} were written`;
}

async function locateBlocks(
  store: Store,
  name: string,
  signal: AbortSignal | undefined,
): Promise<FileCopies['blocks']> {
  try {
    return await store.blocks(name, { signal });
  } catch (error) {
    if (error instanceof ParsError && (error.code === 'data-lost' || error.code === 'not-found')) {
      return [lostBlock];
    }
    throw error;
  }
}
