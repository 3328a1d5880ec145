// Says whether a snapshot could be restored now, how safely, and what it would survive: every file there, of its length,
// with its copies; and, when asked, every frame read and checked.
import { ParsError } from '../../introspect/pars-error.js';
import type { OnProgress } from '../flow/progress.js';
import type { Manifest } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import type { UnderReplicated } from '../snapshot/confirm-replication.js';
import type { Store } from '../store/store.js';
import { isLost, liveCopyCount } from './file-copies.js';
import { type HealingOutlook, healingOutlook } from './healing-outlook.js';
import { locateFiles } from './locate-files.js';
import { type LossScenario, lossScenarios } from './loss-scenarios.js';
import { framesOfPacks, type LostRun, lostRuns } from './lost-pages.js';
import { countPages } from './pages-by-label.js';
import { readFrames } from './read-frames.js';
import { type Risk, snapshotRisks } from './snapshot-risks.js';

export interface VerifyRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  readonly readData: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface Verification {
  /** Pages that were stored and cannot be read back now. Those that the policy left out are in the scenarios alone. */
  readonly lost: readonly LostRun[];
  /** Which of them a restore would heal, and how. */
  readonly outlook: HealingOutlook;
  /** Files of another length than the manifest states, or missing, each with what was found. */
  readonly wrongFiles: readonly string[];
  /** Files that are there with fewer copies than wanted. */
  readonly underReplicated: readonly UnderReplicated[];
  /** What would be lost, and whether the guest would resume: as things are, without each node, without single copies. */
  readonly scenarios: readonly LossScenario[];
  readonly risks: readonly Risk[];
}

export async function verifySnapshot(request: VerifyRequest): Promise<Verification> {
  const { store, manifest, readData, signal } = request;
  const { header } = manifest;
  const space = manifest.spaces[0];
  const { packs, beside, wrong } = await locateFiles(store, header, signal);
  const lostPacks = new Set([...packs.keys()].filter((pack) => isLost(packs[pack])));
  const lostFrames = readData ? await readAll(request, lostPacks) : framesOfPacks(space, lostPacks);
  const lost = lostRuns(space, lostFrames);

  const labelCount = header.legend.length;
  const input = {
    header,
    space,
    packs,
    beside,
    pages: countPages(space, packs.length, labelCount),
    damagedPages: countPages(space, packs.length, labelCount, (frame) => lostFrames.has(frame)),
    copiesComeLater: store.copiesComeLater,
  };
  const scenarios = lossScenarios(input);
  const wrongNames = new Set(wrong.map(({ name }) => name));
  return {
    lost,
    outlook: healingOutlook(space, header, lost),
    wrongFiles: wrong.map(({ found }) => found),
    underReplicated: [...packs, ...beside]
      .map((file) => ({ name: file.name, wanted: file.wanted, found: liveCopyCount(file) }))
      .filter(({ name, wanted, found }) => found < wanted && !wrongNames.has(name)),
    scenarios,
    risks: snapshotRisks(input, scenarios),
  };
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
