// Why a page of a kernel without BTF carries its label: free or not is all that can be told there.
import { type Kernel, noBtf } from '../kernel/kernel.js';
import { takeBackAllFreePages } from '../label/free-pages.js';
import { labelMemmap, labelOutsideZones } from '../label/label-memmap.js';
import {
  endPfn,
  type MemoryRegion,
  pageIndexOf,
  pageSizeBytes,
  type Pfn,
} from '../memory/physical-memory.js';
import { openMemmap } from '../mm/memmap.js';
import type { Zone } from '../mm/zones/zone.js';
import { zoneName } from '../mm/zones/zone-spans.js';
import { pageClasses } from '../page-class.js';
import { Checks } from './check.js';
import { type Conclusion, nothingKnown } from './conclusion.js';

export class FreeEvidence {
  readonly #kernel: Kernel;
  readonly #zones: readonly Zone[];
  readonly #regions: readonly MemoryRegion[];
  /** Before and after the zones were asked. */
  readonly #byMemmap: Uint8Array;
  readonly #labels: Uint8Array;
  readonly #doubts: readonly string[];

  constructor(kernel: Kernel, zones: readonly Zone[], regions: readonly MemoryRegion[]) {
    this.#kernel = kernel;
    this.#zones = zones;
    this.#regions = regions;
    this.#labels = new Uint8Array(kernel.physical.sizeBytes / pageSizeBytes);
    const memmap = openMemmap(kernel, endPfn(regions));
    const { disagreements } = labelMemmap(kernel, memmap, zones, this.#labels);
    this.#byMemmap = this.#labels.slice();
    this.#doubts = takeBackAllFreePages(disagreements, this.#labels);
    labelOutsideZones(kernel, zones, this.#labels);
  }

  /** The image must hold the frame. */
  conclude(pfn: Pfn): Conclusion {
    const page = pageIndexOf(this.#regions, pfn) ?? 0;
    const byMemmap = pageClasses[this.#byMemmap[page]].label;
    const { label } = pageClasses[this.#labels[page]];
    const spanning = this.#zones.filter((zone) => pfn >= zone.startPfn && pfn < zone.endPfn);
    const checks = new Checks();
    checks.that(false, "the kernel's types tell pages in use apart", noBtf);
    checks.that(spanning.length > 0, 'a zone spans the frame');
    if (checks.that(byMemmap === 'free', 'it is in a free block', byMemmap)) {
      checks.that(
        label === 'free',
        'all zones count as many free blocks, order by order, as the memmap shows',
        this.#doubts.join('; '),
      );
    }
    return {
      ...nothingKnown,
      zones: spanning.map((zone) => `node ${zone.node}, ${zoneName(this.#kernel, zone)}`),
      checks: checks.list,
      conclusion: label,
    };
  }
}
