// What a stored snapshot's manifest knows of its image's bytes, without a look into the packs. Of RAM only: disks stored
// with it are not of the image.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { countPages } from '../loss/pages-by-label.js';
import { disksOf, ramOf } from '../manifest/space/spaces.js';
import type { Manifest, PackEntry, RamSpace } from '../manifest/types.js';
import { usedFrames } from '../manifest/used-frames.js';
import { packHeaderSizeBytes } from '../pack/layout.js';
import { namedPolicies, type PolicyName, policyNames } from '../plan/policy.js';
import { nativeReplication } from '../plan/saving.js';
import type {
  ImageFigures,
  LabelFigures,
  ReplicationFigures,
} from '../report/model/image-figures.js';

/** Labels that a newer program made up count as `unknown`. Throws `unsupported` for a snapshot without RAM. */
export function figuresOfManifest(manifest: Manifest): ImageFigures {
  const { header } = manifest;
  const ram = ramOf(manifest);
  if (ram === undefined) {
    throw new ParsError(
      'unsupported',
      `snapshot ${header.id} is of disks alone, and reports are on RAM; \`pars show\` says what it has`,
    );
  }
  const stored = storedPages(manifest, ram);
  const pageCount = header.imageSizeBytes / pageSizeBytes;
  const policy = policyOf(ram, header.legend, stored);
  return {
    imageSizeBytes: header.imageSizeBytes,
    pageCount,
    labels: labelFigures(ram, header.legend, stored),
    policies:
      policy === undefined
        ? []
        : [{ policy, replications: replicationFigures(manifest, ram, stored) }],
    // The manifest's own hashes are only of pages that are stored.
    uniquePageCount: undefined,
    lz4Bytes: undefined,
    zstdBytes: undefined,
  };
}

/** Pages of RAM that lie in packs, none of them zero: by label number, how many with which replication. */
type StoredPages = readonly ReadonlyMap<number, number>[];

function storedPages({ header: { packs, legend }, frames }: Manifest, ram: RamSpace): StoredPages {
  const { counts, labelCount } = countPages(ram, frames, packs.length, legend.length);
  const stored = legend.map(() => new Map<number, number>());
  packs.forEach((entry, pack) => {
    const replication = comparedReplication(entry);
    stored.forEach((byReplication, label) => {
      const count = counts[pack * labelCount + label];
      if (count > 0) {
        byReplication.set(replication, (byReplication.get(replication) ?? 0) + count);
      }
    });
  });
  return stored;
}

/** What is in a code a policy without codes would keep three times, in the same packs. */
function comparedReplication({ replication }: PackEntry): number {
  return replication ?? nativeReplication;
}

function labelFigures(
  { labelRuns, notStored = [] }: RamSpace,
  legend: readonly string[],
  stored: StoredPages,
): readonly LabelFigures[] {
  const pageCounts = new Float64Array(256);
  labelRuns.label.forEach((label, run) => {
    pageCounts[label] += labelRuns.pageCount[run];
  });
  const figures = new Map<PageLabel, LabelFigures>();
  legend.forEach((name, number) => {
    const label = knownLabel(name);
    const pageCount = pageCounts[number];
    const zeroPageCount = notStored.includes(number)
      ? undefined
      : pageCount - sum(stored[number].values());
    const sofar = figures.get(label) ?? { pageCount: 0, zeroPageCount: 0 };
    figures.set(label, {
      label,
      pageCount: sofar.pageCount + pageCount,
      zeroPageCount:
        sofar.zeroPageCount === undefined || zeroPageCount === undefined
          ? undefined
          : sofar.zeroPageCount + zeroPageCount,
    });
  });
  return pageClasses
    .map(({ label }) => figures.get(label))
    .filter((entry) => entry !== undefined)
    .filter(({ pageCount }) => pageCount > 0);
}

/** The first named policy that would have stored these pages so; undefined where none would. */
function policyOf(
  { labelRuns, notStored = [], diskHeld }: RamSpace,
  legend: readonly string[],
  stored: StoredPages,
): PolicyName | undefined {
  const occurring = new Set(labelRuns.label);
  return policyNames.find((name) => {
    const { policy, heldLabels } = namedPolicies[name];
    if (diskHeld !== undefined && heldLabels.length === 0) {
      return false;
    }
    return legend.every((entry, number) => {
      if (!occurring.has(number)) {
        return true;
      }
      const replication = policy[knownLabel(entry)];
      return notStored.includes(number)
        ? replication === 0
        : replication !== 0 && [...stored[number].keys()].every((found) => found === replication);
    });
  });
}

/**
 * A pack counts as far as this snapshot's frames lie in it: all of it where the snapshot wrote it, and of one that an
 * earlier snapshot wrote, what a pack of these frames alone would take.
 */
function replicationFigures(
  manifest: Manifest,
  ram: RamSpace,
  stored: StoredPages,
): readonly ReplicationFigures[] {
  const { frames } = manifest;
  const { packs } = manifest.header;
  const frameBytes = new Float64Array(packs.length);
  for (const frame of usedFrames(frames, [ram])) {
    frameBytes[frames.pack[frame]] += frames.length[frame];
  }
  // A pack of nothing but zero pages has no frame. Packs of RAM stand before those of disks.
  const endOfRam = usedFrames(frames, disksOf(manifest)).reduce(
    (least, frame) => Math.min(least, frames.pack[frame]),
    packs.length,
  );
  const figures = new Map<number, ReplicationFigures>();
  packs.forEach((entry, pack) => {
    const replication = comparedReplication(entry);
    if (frameBytes[pack] === 0 && pack >= endOfRam) {
      return;
    }
    const sofar = figures.get(replication);
    figures.set(replication, {
      replication,
      nonZeroPageCount: sum(stored.map((counts) => counts.get(replication) ?? 0)),
      packedBytes: (sofar?.packedBytes ?? 0) + packHeaderSizeBytes + frameBytes[pack],
      zstdPackedBytes: undefined,
      packCount: (sofar?.packCount ?? 0) + 1,
    });
  });
  return [...figures.values()].sort((a, b) => a.replication - b.replication);
}

function knownLabel(name: string): PageLabel {
  return pageClasses.find(({ label }) => label === name)?.label ?? 'unknown';
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) {
    total += count;
  }
  return total;
}
