// The report on a whole store, summed up one header at a time: what is kept does not grow with the snapshots, only with
// the VMs.
import { pageClasses } from '../../../introspect/page-class.js';
import { savingOf } from '../../plan/saving.js';
import type { HeaderFigures } from './header-figures.js';
import { type FleetReport, reportVersion } from './report.js';

const classCount = 10;
const largestCount = 20;
const unreadableCount = 20;

interface Sum {
  snapshotCount: number;
  imageSizeBytes: number;
  storedBytes: number;
  nativeBytes: number;
  publishedNativeBytes: number;
  publishedChosenBytes: number;
}

const nothing = (): Sum => ({
  snapshotCount: 0,
  imageSizeBytes: 0,
  storedBytes: 0,
  nativeBytes: 0,
  publishedNativeBytes: 0,
  publishedChosenBytes: 0,
});

export class FleetTally {
  readonly #total = nothing();
  readonly #vms = new Map<string, Sum>();
  readonly #pageCounts = new Map<string, number>();
  /** Snapshots by class of saving; the first is what saves less than nothing. */
  readonly #saved = new Uint32Array(classCount + 1);
  readonly #published = new Uint32Array(classCount + 1);
  readonly #unreadable: { readonly id: string; readonly reason: string }[] = [];
  #unreadableCount = 0;

  add(figures: HeaderFigures): void {
    const { vm } = figures;
    const ofVm = this.#vms.get(vm) ?? nothing();
    this.#vms.set(vm, ofVm);
    for (const sum of [this.#total, ofVm]) {
      sum.snapshotCount++;
      sum.imageSizeBytes += figures.imageSizeBytes;
      sum.storedBytes += figures.storedBytes;
      sum.nativeBytes += figures.nativeBytes;
      sum.publishedNativeBytes += figures.publishedNativeBytes;
      sum.publishedChosenBytes += figures.publishedChosenBytes;
    }
    for (const { label, pageCount } of figures.labels) {
      this.#pageCounts.set(label, (this.#pageCounts.get(label) ?? 0) + pageCount);
    }
    this.#saved[classOf(figures.savingFraction)]++;
    this.#published[classOf(figures.publishedSavingFraction)]++;
  }

  addUnreadable(id: string, reason: string): void {
    this.#unreadableCount++;
    if (this.#unreadable.length < unreadableCount) {
      this.#unreadable.push({ id, reason });
    }
  }

  report(store: string): FleetReport {
    const { imageSizeBytes, storedBytes, snapshotCount } = this.#total;
    return {
      version: reportVersion,
      kind: 'fleet',
      store,
      vmCount: this.#vms.size,
      snapshotCount,
      imageSizeBytes,
      storedBytes,
      ...savingsOf(this.#total),
      histogram: [...this.#saved].map((saved, index) => ({
        from: index === 0 ? null : (index - 1) / classCount,
        to: index / classCount,
        saved,
        published: this.#published[index],
      })),
      labels: pageClasses.flatMap(({ label }) => {
        const pageCount = this.#pageCounts.get(label);
        return pageCount === undefined ? [] : [{ label, pageCount }];
      }),
      largest: [...this.#vms]
        .sort(([nameA, a], [nameB, b]) => b.storedBytes - a.storedBytes || (nameA < nameB ? -1 : 1))
        .slice(0, largestCount)
        .map(([vm, sum]) => ({
          vm,
          snapshotCount: sum.snapshotCount,
          storedBytes: sum.storedBytes,
          ...savingsOf(sum),
        })),
      unreadableCount: this.#unreadableCount,
      unreadable: this.#unreadable,
    };
  }
}

function savingsOf(sum: Sum): Pick<FleetReport, 'savingFraction' | 'publishedSavingFraction'> {
  return {
    savingFraction: savingOf(sum.nativeBytes, sum.storedBytes).savingFraction,
    publishedSavingFraction: savingOf(sum.publishedNativeBytes, sum.publishedChosenBytes)
      .savingFraction,
  };
}

/** A saving of 1 is in the last class. */
function classOf(savingFraction: number): number {
  return savingFraction < 0
    ? 0
    : 1 + Math.min(classCount - 1, Math.floor(savingFraction * classCount));
}
