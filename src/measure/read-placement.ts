// A stored snapshot as its store has it: where the copies of each block are, how many bytes the store says they take, and
// what the loss of each file would mean for the guest. What verify-snapshot.ts foretells for one node, a report counts
// for any two and three, so both go by the same healing.
import pLimit from 'p-limit';
import { ParsError } from '../../introspect/pars-error.js';
import { manifestName } from '../catalog/names.js';
import { healingOfLabel } from '../loss/healing-outlook.js';
import { neededRoles } from '../loss/needed-roles.js';
import { countPages, packHolds, sumPages } from '../loss/pages-by-label.js';
import { disksOf, ramOf } from '../manifest/space/spaces.js';
import type { Manifest } from '../manifest/types.js';
import { usedPacks } from '../manifest/used-frames.js';
import type { PlacedBlock, Placement } from '../report/model/placement.js';
import type { Part } from '../report/model/report.js';
import { neededCount } from '../store/block-state.js';
import { copies as wholeCopies, type Redundancy, reedSolomon } from '../store/redundancy.js';
import type { Store } from '../store/store.js';
import type { FileCopies } from '../verify/file-copies.js';
import { locateFiles } from '../verify/locate-files.js';

/** Requests in flight. */
const concurrency = 8;

export interface StoredSnapshot {
  /** Packs of RAM, attachments, and the manifest with its bodies: those with as many copies and the same loss together. */
  readonly parts: readonly Part[];
  /** What all parts take, as the store counts its copies. */
  readonly storedBytes: number;
  /** Undefined where the store does not say by what code a file is kept: then what a node takes along is not known. */
  readonly placement: Placement | undefined;
}

interface KeptFile {
  readonly copies: FileCopies;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly ifLost: Part['ifLost'];
}

export async function readPlacement(
  store: Store,
  manifest: Manifest,
  signal?: AbortSignal,
): Promise<StoredSnapshot> {
  const { header } = manifest;
  const { packs, beside } = await locateFiles(store, header, signal);
  const holdsNeededPages = packsOfNeededPages(manifest);
  // What is stored of disks is not compared: an image of memory is kept without them too.
  const isOfDisk = usedPacks(manifest.frames, disksOf(manifest));
  const limit = pLimit(concurrency);
  const keptFile = (
    copies: FileCopies,
    sizeBytes: number,
    ifLost: Part['ifLost'],
  ): Promise<KeptFile> =>
    limit(async () => ({
      copies,
      sizeBytes,
      storedBytes: await storedBytesOrNone(store, copies.name, signal),
      ifLost,
    }));

  const manifestFile = await store.stat(manifestName(header.id), { signal });
  const besideSizes = [
    ...header.attachments.map(({ sizeBytes }) => sizeBytes),
    ...header.bodies.map(({ sizeBytes }) => sizeBytes),
    manifestFile?.sizeBytes ?? 0,
  ];
  const files = await Promise.all([
    ...packs.flatMap((copies, pack) =>
      isOfDisk.has(pack)
        ? []
        : keptFile(
            copies,
            header.packs[pack].sizeBytes,
            holdsNeededPages[pack] ? 'does-not-resume' : 'heals',
          ),
    ),
    ...beside.map((copies, index) =>
      keptFile(
        copies,
        besideSizes[index],
        neededRoles[copies.role] === undefined ? 'heals' : 'does-not-resume',
      ),
    ),
  ]);
  return {
    parts: partsOf(files),
    storedBytes: files.reduce((sum, file) => sum + file.storedBytes, 0),
    placement: files.some(hasUnknownCode) ? undefined : placementOf(files),
  };
}

/** For each pack whether any page in it is one that nothing heals. */
function packsOfNeededPages({ header, frames, spaces }: Manifest): readonly boolean[] {
  const { legend, packs } = header;
  const ram = ramOf({ spaces });
  const isNeeded = legend.map((label) => healingOfLabel(label, ram).way === 'none');
  const pages = sumPages(
    spaces.map((space) => countPages(space, frames, packs.length, legend.length)),
  );
  return packs.map((_, pack) => packHolds(pages, pack, (label) => isNeeded[label]));
}

/** A file that is gone takes no room. */
async function storedBytesOrNone(
  store: Store,
  name: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  try {
    return await store.storedBytes(name, { signal });
  } catch (error) {
    if (error instanceof ParsError && (error.code === 'not-found' || error.code === 'data-lost')) {
      return 0;
    }
    throw error;
  }
}

function partsOf(files: readonly KeptFile[]): readonly Part[] {
  const parts = new Map<string, Part>();
  for (const { copies, sizeBytes, ifLost } of files) {
    const redundancy = redundancyOf(copies);
    const key = JSON.stringify([redundancy, ifLost]);
    const part = parts.get(key);
    parts.set(key, {
      redundancy,
      sizeBytes: (part?.sizeBytes ?? 0) + sizeBytes,
      fileCount: (part?.fileCount ?? 0) + 1,
      blockCount: (part?.blockCount ?? 0) + copies.blocks.length,
      ifLost,
    });
  }
  return [...parts.values()];
}

/** A file of pars is one block. */
function redundancyOf({ replication, blocks }: FileCopies): Redundancy {
  const [block] = blocks;
  const coding = blocks.length === 0 ? undefined : block.coding;
  return coding === undefined || coding === 'unknown'
    ? wholeCopies(replication)
    : reedSolomon(coding.dataUnitCount, coding.parityUnitCount);
}

function hasUnknownCode({ copies }: KeptFile): boolean {
  return copies.blocks.some(({ coding }) => coding === 'unknown');
}

function placementOf(files: readonly KeptFile[]): Placement {
  const nodes = [
    ...new Set(files.flatMap(({ copies }) => copies.blocks.flatMap(({ locations }) => locations))),
  ].sort();
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  return {
    nodes,
    blocks: files.flatMap(({ copies, ifLost }) =>
      copies.blocks.map((block): PlacedBlock => ({
        // A store may list them in another order each time.
        unitNodes: block.locations.flatMap((node) => numbers.get(node) ?? []).sort((a, b) => a - b),
        neededUnitCount: neededCount(block),
        ifLost,
      })),
    ),
  };
}
