// What a plan saves against storing the image the native way, three copies of everything. Numbers only.
//
// Two things must not be mixed up. *Planned* counts whole pages times their replication, and says what page awareness
// alone is worth. *Stored* counts the bytes that packs really take, after zero pages and compression; it is compared
// with the same packs kept three times, so compression is not booked as a gain of ours.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import {
  type CopiesOrCode,
  ecPolicyName,
  neededPlaceCount,
  placeCount,
  type Redundancy,
  redundancyOf,
  storedBytes,
} from '../store/redundancy.js';
import { plannedRedundancy, type ReplicationPlan } from './replication-plan.js';

/** What HDFS does with a file when nobody says otherwise (dfs.replication). */
export const nativeReplication = 3;

/** Bytes on all disks together. */
export interface Saving {
  /** With three copies of everything. */
  readonly nativeBytes: number;
  /** With the replication chosen. */
  readonly chosenBytes: number;
  /** 1 - chosen / native; 0 when there is nothing; negative when the choice takes more. */
  readonly savingFraction: number;
}

/** One line of the table. */
export interface LabelSaving extends Saving {
  readonly label: PageLabel;
  readonly expendable: boolean;
  /** Copies; null where the pages are kept in a code. */
  readonly replication: number | null;
  /** The name of the erasure coding policy, as HDFS has it; absent where there are copies. */
  readonly code?: string;
  readonly pageCount: number;
  /** One copy. */
  readonly sizeBytes: number;
}

export interface PlannedSaving {
  /** Labels that occur, by number, then replication. */
  readonly labels: readonly LabelSaving[];
  readonly pageCount: number;
  /** Pages that are not stored count as stored once, so that this compares with what others publish: 3 copies and 1. */
  readonly total: Saving;
  /** Set when pages are not stored: what is gained by that as well, which is no longer a matter of 3 and 1. */
  readonly notStored?: { readonly pageCount: number; readonly total: Saving };
}

/** Planned bytes, before zero pages and compression. */
export function plannedSaving(plan: ReplicationPlan): PlannedSaving {
  const counts = new Float64Array(256 * 256); // label, replication
  for (let run = 0; run < plan.label.length; run++) {
    counts[plan.label[run] * 256 + plan.replication[run]] += plan.runPageCount[run];
  }
  const labels: LabelSaving[] = [];
  for (const { number, label, expendable } of pageClasses) {
    for (let replication = 0; replication < 256; replication++) {
      const pageCount = counts[number * 256 + replication];
      if (pageCount === 0) {
        continue;
      }
      const sizeBytes = pageCount * pageSizeBytes;
      const redundancy = plannedRedundancy(plan, replication);
      labels.push({
        label,
        expendable,
        ...(redundancy.kind === 'copies'
          ? { replication: redundancy.count }
          : { replication: null, code: ecPolicyName(redundancy) }),
        pageCount,
        sizeBytes,
        ...savingOf(sizeBytes * nativeReplication, plannedBytes(redundancy, sizeBytes)),
      });
    }
  }
  const total = sumOf(labels);
  const notStoredPageCount = labels
    .filter(({ replication }) => replication === 0)
    .reduce((sum, { pageCount }) => sum + pageCount, 0);
  return {
    labels,
    pageCount: plan.pageCount,
    total,
    ...(notStoredPageCount === 0
      ? {}
      : {
          notStored: {
            pageCount: notStoredPageCount,
            total: savingOf(
              total.nativeBytes,
              total.chosenBytes - notStoredPageCount * pageSizeBytes,
            ),
          },
        }),
  };
}

/**
 * What pages take of all disks, before they are packed. Pages that are not stored count once; in a code each stripe counts as if
 * it were full.
 */
export function plannedBytes(redundancy: Redundancy, sizeBytes: number): number {
  return redundancy.kind === 'copies'
    ? sizeBytes * Math.max(redundancy.count, 1)
    : sizeBytes * (placeCount(redundancy) / neededPlaceCount(redundancy));
}

/** Stored bytes of packs written, against the same packs with three copies each. */
export function storedSaving(
  packs: Iterable<CopiesOrCode & { readonly sizeBytes: number }>,
): Saving {
  let nativeBytes = 0;
  let chosenBytes = 0;
  for (const { sizeBytes, ...pack } of packs) {
    nativeBytes += sizeBytes * nativeReplication;
    chosenBytes += storedBytes(redundancyOf(pack), sizeBytes);
  }
  return savingOf(nativeBytes, chosenBytes);
}

/** What `Saving` says of these two. */
export function savingOf(nativeBytes: number, chosenBytes: number): Saving {
  return {
    nativeBytes,
    chosenBytes,
    savingFraction: nativeBytes === 0 ? 0 : 1 - chosenBytes / nativeBytes,
  };
}

function sumOf(savings: readonly Saving[]): Saving {
  return savingOf(
    savings.reduce((sum, { nativeBytes }) => sum + nativeBytes, 0),
    savings.reduce((sum, { chosenBytes }) => sum + chosenBytes, 0),
  );
}
