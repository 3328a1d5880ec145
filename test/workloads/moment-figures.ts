// From what was measured of one moment to what its row says: savings as fractions of the raw file stored three times, and
// what the critical pages are.
import type { Evidence } from '../../introspect/label/page-map.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { heldByDisk, type PolicyName, policyNames } from '../../src/plan/policy.js';
import { nativeReplication } from '../../src/plan/saving.js';
import type { ImageFigures, ReplicationFigures } from '../../src/report/model/image-figures.js';
import { copies, type Redundancy, reedSolomon, storedBytes } from '../../src/store/redundancy.js';
import type { Moment } from './moments/observe-moments.js';

export interface CriticalLabel {
  readonly label: PageLabel;
  /** The part of all critical pages that have this label. */
  readonly criticalFraction: number;
  /** The part that the disk holds, where places on the disk were looked for; undefined for other labels. */
  readonly heldFraction: number | undefined;
}

export interface MomentFigures {
  readonly evidence: Evidence['kind'];
  /** The part of all pages that are expendable. */
  readonly expendableFraction: number;
  /** The published metric: whole pages, three copies and one, no compression. */
  readonly plannedFraction: number;
  /** The published metric where what the disk holds counts as expendable. */
  readonly plannedDiskFraction: number;
  /** What packs take under each policy, without zero pages and by zstd. */
  readonly savingFractions: Readonly<Record<PolicyName, number>>;
  /** What `strict` takes by lz4, the most that an upload takes by default. */
  readonly strictLz4Fraction: number;
  /** What `strict` takes by zstd, with critical packs erasure coded. */
  readonly strictCodedFraction: number;
  /** The whole file compressed, three times. */
  readonly lz4Fraction: number | undefined;
  readonly zstdFraction: number | undefined;
  /** The file by zstd, erasure coded. */
  readonly zstdCodedFraction: number | undefined;
  /** What `strict` takes of the file by zstd three times. */
  readonly strictOfZstd: number | undefined;
  /** makedumpfile's file three times; a word of why not where it failed. */
  readonly dumpFraction: number | string | undefined;
  /** Largest first. */
  readonly critical: readonly CriticalLabel[];
}

export function momentFigures({ figures }: Pick<Moment, 'figures'>): MomentFigures {
  const { image, evidence, diskHeld, dump } = figures;
  const ofOneCopy = (sizeBytes: number): number => 1 - sizeBytes / image.imageSizeBytes;
  const isExpendable = (label: PageLabel): boolean => pageClasses[labelNumbers[label]].expendable;
  const critical = image.labels.filter(({ label }) => !isExpendable(label));
  const criticalPageCount = sum(critical.map(({ pageCount }) => pageCount));
  const expendablePageCount = image.pageCount - criticalPageCount;
  const proofs = diskHeld.filter(({ label }) => heldByDisk.includes(label));
  const heldPageCount = sum(proofs.map((proof) => proof.heldPageCount));
  const planned = (pageCount: number): number =>
    (pageCount * (nativeReplication - 1)) / (image.pageCount * nativeReplication);
  return {
    evidence: evidence.kind,
    expendableFraction: expendablePageCount / image.pageCount,
    plannedFraction: planned(expendablePageCount),
    plannedDiskFraction: planned(expendablePageCount + heldPageCount),
    savingFractions: Object.fromEntries(
      policyNames.map((name) => [name, storedFraction(image, name, inCopies, byZstd)]),
    ) as Record<PolicyName, number>,
    strictLz4Fraction: storedFraction(image, 'strict', inCopies, byLz4),
    strictCodedFraction: storedFraction(image, 'strict', criticalCoded, byZstd),
    lz4Fraction: image.lz4Bytes === undefined ? undefined : ofOneCopy(image.lz4Bytes),
    zstdFraction: image.zstdBytes === undefined ? undefined : ofOneCopy(image.zstdBytes),
    zstdCodedFraction:
      image.zstdBytes === undefined
        ? undefined
        : ofOneCopy(storedBytes(coded, image.zstdBytes, 1) / nativeReplication),
    strictOfZstd:
      image.zstdBytes === undefined
        ? undefined
        : bytesStored(image, 'strict', inCopies, byZstd) / (image.zstdBytes * nativeReplication),
    dumpFraction:
      dump === undefined ? undefined : 'failure' in dump ? dump.failure : ofOneCopy(dump.sizeBytes),
    critical: critical
      .filter(({ pageCount }) => pageCount > 0)
      .map(({ label, pageCount }) => {
        const proof = proofs.find((entry) => entry.label === label);
        return {
          label,
          criticalFraction: pageCount / criticalPageCount,
          heldFraction: proof === undefined ? undefined : proof.heldPageCount / pageCount,
        };
      })
      .sort((a, b) => b.criticalFraction - a.criticalFraction),
  };
}

type PackedSize = (figures: ReplicationFigures) => number | undefined;
const byLz4: PackedSize = ({ packedBytes }) => packedBytes;
const byZstd: PackedSize = ({ zstdPackedBytes }) => zstdPackedBytes;

const coded = reedSolomon(6, 3);
type RedundancyOf = (replication: number) => Redundancy;
const inCopies: RedundancyOf = copies;
const criticalCoded: RedundancyOf = (replication) => (replication === 1 ? copies(1) : coded);

function storedFraction(
  image: ImageFigures,
  name: PolicyName,
  redundancyOf: RedundancyOf,
  sizeOf: PackedSize,
): number {
  const bytes = bytesStored(image, name, redundancyOf, sizeOf);
  return 1 - bytes / (image.imageSizeBytes * nativeReplication);
}

/** On all disks together. */
function bytesStored(
  image: ImageFigures,
  name: PolicyName,
  redundancyOf: RedundancyOf,
  sizeOf: PackedSize,
): number {
  const figures = image.policies.find(({ policy }) => policy === name);
  if (figures === undefined) {
    throw new Error(`expected figures of policy ${name}, found none`);
  }
  return sum(
    figures.replications.map((entry) => {
      const sizeBytes = sizeOf(entry);
      if (sizeBytes === undefined) {
        throw new Error(`policy ${name}: its packs were not measured`);
      }
      return storedBytes(redundancyOf(entry.replication), sizeBytes, entry.packCount);
    }),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
