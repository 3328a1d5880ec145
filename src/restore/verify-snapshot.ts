// Says whether a snapshot could be restored now, and how safely: every file there, of its length, with its copies; and,
// when asked, every frame read and checked.
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import { manifestReplication } from '../catalog/catalog.js';
import { manifestName } from '../catalog/names.js';
import type { OnProgress } from '../flow/progress.js';
import type { Manifest } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import { type UnderReplicated, underReplicated } from '../snapshot/confirm-replication.js';
import type { Store } from '../store/store.js';
import { type LostRun, lostRuns } from './lost-pages.js';
import { findLostPacks, readFrames } from './read-frames.js';

const statConcurrency = 8;

export interface VerifyRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  readonly readData: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface Verification {
  /** Pages that could not be restored now. */
  readonly lost: readonly LostRun[];
  /** Files of another length than the manifest states, or missing, each with what was found. */
  readonly wrongFiles: readonly string[];
  /** Files that are there with fewer copies than wanted. */
  readonly underReplicated: readonly UnderReplicated[];
}

export async function verifySnapshot(request: VerifyRequest): Promise<Verification> {
  const { store, manifest, readData, signal } = request;
  const { packs, attachments } = manifest.header;
  const files = [
    ...packs,
    ...attachments.map((file) => ({ ...file, replication: manifestReplication })),
  ];
  const wrongFiles = await findWrongFiles(store, files, signal);
  const wrongNames = new Set(wrongFiles.map(({ name }) => name));
  const space = manifest.spaces[0];
  const located = await findLostPacks({ ...request, packs, space });
  const lostPacks = new Set([
    ...located,
    ...packs.flatMap(({ name }, index) => (wrongNames.has(name) ? [index] : [])),
  ]);
  const lostFrames = readData
    ? await readAll(request, lostPacks)
    : new Map(
        [...space.frames.pack].flatMap((pack, frame) =>
          lostPacks.has(pack) ? [[frame, 'lost'] as const] : [],
        ),
      );
  const present = [
    ...files.filter(({ name }) => !wrongNames.has(name)),
    // It has just been read, so it is not empty.
    { name: manifestName(manifest.header.id), sizeBytes: 1, replication: manifestReplication },
  ];
  return {
    lost: lostRuns(space, lostFrames),
    wrongFiles: wrongFiles.map(({ found }) => found),
    underReplicated: await underReplicated(store, present, signal),
  };
}

async function findWrongFiles(
  store: Store,
  files: readonly { readonly name: string; readonly sizeBytes: number }[],
  signal: AbortSignal | undefined,
) {
  const limit = pLimit(statConcurrency);
  const checked = await Promise.all(
    files.map(({ name, sizeBytes }) =>
      limit(async () => {
        const file = await store.stat(name, { signal });
        return file?.sizeBytes === sizeBytes
          ? undefined
          : {
              name,
              found:
                file === undefined
                  ? `${name} is missing`
                  : `${name} has ${file.sizeBytes} bytes, ${sizeBytes} were written`,
            };
      }),
    ),
  );
  return checked.filter((entry) => entry !== undefined);
}

async function readAll(
  { store, manifest, signal, onProgress }: VerifyRequest,
  lostPacks: ReadonlySet<number>,
) {
  const space = manifest.spaces[0];
  const totalBytes = space.frames.length.reduce((sum, length) => sum + length, 0);
  let doneBytes = 0;
  const pool = createFramePool();
  try {
    return await readFrames(
      {
        store,
        packs: manifest.header.packs,
        space,
        spaceIndex: 0,
        take: (stored) => pool.decode(stored),
        onRead: (sizeBytes) => {
          doneBytes += sizeBytes;
          onProgress?.({ phase: 'checking pages', doneBytes, totalBytes });
        },
        signal,
      },
      lostPacks,
    );
  } catch (error) {
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the check was stopped', { cause: error });
    }
    throw error;
  } finally {
    await pool.close();
  }
}
