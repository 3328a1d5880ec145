// What a manifest's header alone says for reports over many snapshots: no columns are read for it.
import { pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { pageClasses, type PageLabel } from '../../../introspect/page-class.js';
import type { ManifestHeader } from '../../manifest/types.js';
import { nativeReplication, savingOf, storedSaving } from '../../plan/saving.js';
import { publishedMetric } from './published-metric.js';

export interface HeaderFigures {
  readonly vm: string;
  readonly imageSizeBytes: number;
  /** The labels of RAM, by label number; labels without a page are left out. */
  readonly labels: readonly LabelCount[];
  /** All copies of the packs, of disks too. */
  readonly storedBytes: number;
  /** Three copies of the image, and of the disks where they are stored too. */
  readonly nativeBytes: number;
  readonly savingFraction: number;
  readonly publishedNativeBytes: number;
  readonly publishedChosenBytes: number;
  readonly publishedSavingFraction: number;
}

export interface LabelCount {
  readonly label: PageLabel;
  readonly pageCount: number;
}

type ReadHeader = Pick<ManifestHeader, 'vm' | 'imageSizeBytes' | 'labelCounts' | 'packs'>;

/** Pages of disks stored with a snapshot carry this label, and are no memory. */
const diskLabel: PageLabel = 'disk';

export function headerFigures({
  vm,
  imageSizeBytes,
  labelCounts,
  packs,
}: ReadHeader): HeaderFigures {
  const labels = countsByLabel(labelCounts);
  const storedBytes = storedSaving(packs).chosenBytes;
  const diskPageCount = labelCounts[diskLabel] ?? 0;
  const nativeBytes = (imageSizeBytes + diskPageCount * pageSizeBytes) * nativeReplication;
  const published = publishedMetric(labels);
  return {
    vm,
    imageSizeBytes,
    labels,
    storedBytes,
    nativeBytes,
    savingFraction: savingOf(nativeBytes, storedBytes).savingFraction,
    publishedNativeBytes: published.nativeBytes,
    publishedChosenBytes: published.chosenBytes,
    publishedSavingFraction: published.savingFraction,
  };
}

/** Labels that a newer program made up count as `unknown`. */
function countsByLabel(counts: ReadHeader['labelCounts']): readonly LabelCount[] {
  const known = new Set<string>(pageClasses.map(({ label }) => label));
  const made = Object.entries(counts)
    .filter(([label]) => !known.has(label))
    .reduce((sum, [, count]) => sum + count, 0);
  return pageClasses
    .filter(({ label }) => label !== diskLabel)
    .map(({ label }) => ({
      label,
      pageCount: (counts[label] ?? 0) + (label === 'unknown' ? made : 0),
    }))
    .filter(({ pageCount }) => pageCount > 0);
}
