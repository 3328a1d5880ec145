// From a guest's snapshot to its figures: labels its memory, then lets a copy of it tell its page flags again.
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import { resumeGuest } from '../guest/guest.js';
import type { GuestSnapshot } from '../guest/guest-snapshot.js';
import { recordBeforeStop } from '../guest/page-record.js';
import { type Figures, figuresOf } from './figures.js';
import { openRamOf } from './image-of.js';
import { readKernelCounters } from './kernel-counters.js';
import { type PageStates, pageStates } from './page-truth.js';

export interface Observation {
  readonly map: PageMap;
  /** As the kernel told them right before the stop. */
  readonly before: PageStates;
  readonly figures: Figures;
  /** With one copy alone, where its figures had expendable pages that must not be, or labels contradicted. */
  readonly firstFigures: Figures | undefined;
}

/**
 * A page can be taken after the reading before the stop and given back before the one in the copy, or the other way
 * round: both readings then agree, and are wrong of the moment between them. What looks like an error is therefore
 * asked of a second copy. An error in the labels is one in every copy.
 */
export async function observe(snapshot: GuestSnapshot): Promise<Observation> {
  const map = labelsOf(snapshot);
  const before = pageStates(recordBeforeStop(snapshot));
  const counters = readKernelCounters(snapshot.countersPath);
  const first = await statesInCopy(snapshot);
  const figures = figuresOf({ map, before, after: [first], counters });
  if (!hasErrors(figures)) {
    return { map, before, figures, firstFigures: undefined };
  }
  const after = [first, await statesInCopy(snapshot)];
  return {
    map,
    before,
    figures: figuresOf({ map, before, after, counters }),
    firstFigures: figures,
  };
}

function hasErrors({ wrongCount, labels }: Figures): boolean {
  return wrongCount > 0 || Object.values(labels).some((entry) => entry.contradictedCount > 0);
}

/**
 * By the CPUs of the device state. Without it the labels must be the same, as there is one kernel in the RAM; but of a kernel
 * without BTF nothing is believed then.
 */
function labelsOf(snapshot: GuestSnapshot): PageMap {
  const { ramPath, statePath } = snapshot;
  const image = openRamOf(snapshot);
  try {
    const found = findKernel({ ...image, cpus: readCpuStates(statePath) });
    const map = classify(found);
    const byRamAlone = classify(findKernel(image));
    const isAsExpected =
      found.found && !found.kernel.hasBtf
        ? byRamAlone.evidence.kind === 'no-kernel'
        : Buffer.compare(map.labels, byRamAlone.labels) === 0;
    if (map.kernelProof?.proven !== true || !isAsExpected) {
      throw new Error(
        `${ramPath}: expected the CPUs to prove the kernel that the RAM alone shows, found evidence ` +
          `${JSON.stringify(map.evidence)} with them and ${JSON.stringify(byRamAlone.evidence)} without`,
      );
    }
    return map;
  } finally {
    image.close();
  }
}

async function statesInCopy(snapshot: GuestSnapshot): Promise<PageStates> {
  const copy = await resumeGuest(snapshot);
  try {
    return pageStates(await copy.pageRecord(1));
  } finally {
    await copy.close();
  }
}
