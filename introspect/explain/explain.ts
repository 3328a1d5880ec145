// Why a page carries its label: every piece of evidence for one frame, the conditions it meets or fails, and what they
// come to. The conclusion is drawn here, from this evidence, and then held against the label of `classify`: where the
// two differ, one of them is wrong, and the explanation says so.
import type { Kernel } from '../kernel/kernel.js';
import { cacheDoubts } from '../label/cache-doubts.js';
import type { Introspected } from '../label/find-kernel.js';
import { labelMemmap, type MemmapLabels } from '../label/label-memmap.js';
import type { PageMap } from '../label/page-map.js';
import {
  endPfn,
  type Gpa,
  pageIndexOf,
  pageSizeBytes,
  type Pfn,
} from '../memory/physical-memory.js';
import { blocksOnBuddyLists } from '../mm/free/buddy-lists.js';
import type { FreeRun } from '../mm/free/per-cpu-lists.js';
import { type Memmap, MemmapLookup, openMemmap } from '../mm/memmap.js';
import type { Zone } from '../mm/zones/zone.js';
import { zoneName } from '../mm/zones/zone-spans.js';
import { labelNumbers, type PageClass, pageClasses, type PageLabel } from '../page-class.js';
import { Checks } from './check.js';
import { type Conclusion, nothingKnown } from './conclusion.js';
import { FreeEvidence } from './free-evidence.js';
import { type Memberships, readMemberships, runHolds } from './memberships.js';
import { MemmapReader, type MemmapReading } from './memmap-reading.js';

export interface PageExplanation extends Conclusion {
  readonly pfn: Pfn;
  readonly gpa: Gpa;
  readonly imageOffset: number;
  /** What classify said. */
  readonly label: PageLabel;
  readonly agrees: boolean;
  readonly pageClass: PageClass;
}

/** Explains the pages of one image. What all pages share is read once, when the first one needs it. */
export class Explainer {
  readonly #introspected: Introspected;
  readonly #map: PageMap;
  #evidence: KernelEvidence | undefined;
  #freeEvidence: FreeEvidence | undefined;

  constructor(introspected: Introspected, map: PageMap) {
    this.#introspected = introspected;
    this.#map = map;
  }

  /** Undefined when the image does not hold the frame. */
  explain(pfn: Pfn): PageExplanation | undefined {
    const page = pageIndexOf(this.#map.regions, pfn);
    if (page === undefined) {
      return undefined;
    }
    const { label } = pageClasses[this.#map.labels[page]];
    const found = this.#conclude(pfn);
    return {
      pfn,
      gpa: pfn * pageSizeBytes,
      imageOffset: page * pageSizeBytes,
      ...found,
      label,
      agrees: found.conclusion === label,
      pageClass: pageClasses[labelNumbers[label]],
    };
  }

  #conclude(pfn: Pfn): Conclusion {
    const { evidence } = this.#map;
    if (
      !this.#introspected.found ||
      evidence.kind === 'no-kernel' ||
      evidence.kind === 'inconsistent'
    ) {
      const checks = new Checks();
      checks.that(
        false,
        'a kernel was found whose structures add up',
        'reason' in evidence ? evidence.reason : '',
      );
      return { ...nothingKnown, checks: checks.list };
    }
    const { kernel, zones } = this.#introspected;
    if (!kernel.hasBtf) {
      this.#freeEvidence ??= new FreeEvidence(kernel, zones, this.#map.regions);
      return this.#freeEvidence.conclude(pfn);
    }
    this.#evidence ??= new KernelEvidence(kernel, zones, this.#map);
    return this.#evidence.conclude(pfn);
  }
}

class KernelEvidence {
  readonly #kernel: Kernel;
  readonly #zones: readonly Zone[];
  readonly #map: PageMap;
  readonly #memmap: Memmap;
  readonly #reader: MemmapReader;
  readonly #memberships: Memberships;
  readonly #deviceZone: number | undefined;
  /** Frames on a CPU's list: whether the list could be believed, or was taken back. */
  #perCpuFrames: ReadonlyMap<Pfn, PageLabel> | undefined;
  #guards: MemmapLabels | undefined;
  #cacheDoubts: readonly string[] | undefined;

  constructor(kernel: Kernel, zones: readonly Zone[], map: PageMap) {
    this.#kernel = kernel;
    this.#zones = zones;
    this.#map = map;
    this.#memmap = openMemmap(kernel, endPfn(map.regions));
    this.#reader = new MemmapReader(
      kernel,
      this.#memmap,
      map.regions,
      zones[0].freeBlockCounts.length,
    );
    this.#memberships = readMemberships(kernel, this.#memmap, zones);
    this.#deviceZone = kernel.btf.enumeration('zone_type')?.get('ZONE_DEVICE');
  }

  conclude(pfn: Pfn): Conclusion {
    const memmap = this.#reader.read(pfn);
    const checks = new Checks();
    memmap.checks.forEach(({ holds, condition, found }) => checks.that(holds, condition, found));
    const spanning = this.#zones.filter((zone) => pfn >= zone.startPfn && pfn < zone.endPfn);
    let label = this.#heldAgainstZones(pfn, memmap.label, spanning, checks);
    label = this.#heldAgainstPerCpuLists(pfn, label, checks);
    label = this.#namedByHugePool(pfn, label, checks);
    label = this.#namedByKernel(pfn, label, checks);
    label = this.#heldAgainstSpans(label, spanning, checks);
    label = this.#heldAgainstCacheCounters(label, checks);
    return {
      memmap,
      zones: spanning.map((zone) => this.#nameOf(zone)),
      zoneByFlags: this.#zoneByFlags(memmap),
      memberships: this.#membershipsOf(pfn),
      checks: checks.list,
      conclusion: label,
    };
  }

  /** A free page stays free if its zone counts as many as the memmap shows, or the zone's own lists lead to it. */
  #heldAgainstZones(
    pfn: Pfn,
    label: PageLabel,
    spanning: readonly Zone[],
    checks: Checks,
  ): PageLabel {
    if (label !== 'free') {
      return label;
    }
    const disagreements = this.#guardsOfMemmap()?.disagreements ?? [];
    const strays = disagreements.find(({ zone }) => zone === undefined);
    const doubt =
      strays ?? disagreements.find(({ zone }) => zone !== undefined && spanning.includes(zone));
    if (
      checks.that(
        doubt === undefined,
        'its zone counts as many free blocks, order by order, as the memmap shows',
        doubt?.reason ?? '',
      )
    ) {
      return label;
    }
    const onLists =
      strays === undefined &&
      spanning.every(
        (zone) =>
          !disagreements.some((entry) => entry.zone === zone) || this.#isOnBuddyLists(pfn, zone),
      );
    return checks.that(onLists, "its zone's own lists lead to its block") ? 'free' : 'unknown';
  }

  #isOnBuddyLists(pfn: Pfn, zone: Zone): boolean {
    const lookup = new MemmapLookup(this.#kernel, this.#memmap);
    for (const run of blocksOnBuddyLists(this.#kernel, lookup, zone)) {
      if (runHolds(run, pfn) && this.#isWholly('free', run, zone)) {
        return true;
      }
    }
    return false;
  }

  #heldAgainstPerCpuLists(pfn: Pfn, label: PageLabel, checks: Checks): PageLabel {
    const lists = this.#memberships.perCpuLists.filter(
      ({ runs }) => runs?.some((run) => runHolds(run, pfn)) === true,
    );
    if (lists.length === 0) {
      return label;
    }
    const cpus = lists.map(({ cpu }) => `CPU ${cpu.number}`).join(', ');
    checks.that(true, 'it is on the free list of a CPU', cpus);
    const settled = this.#labelsOfPerCpuFrames().get(pfn) ?? label;
    checks.that(
      settled === 'free-pcp',
      'every page of that list is in use without a mark, and in its zone',
    );
    return settled;
  }

  /** List after list, as a frame may stand on two. */
  #labelsOfPerCpuFrames(): ReadonlyMap<Pfn, PageLabel> {
    if (this.#perCpuFrames === undefined) {
      const settled = new Map<Pfn, PageLabel>();
      const quiet = new Checks();
      const labelNow = (pfn: Pfn): PageLabel | undefined =>
        pageIndexOf(this.#map.regions, pfn) === undefined
          ? undefined
          : (settled.get(pfn) ??
            this.#heldAgainstZones(
              pfn,
              this.#reader.read(pfn).label,
              this.#zones.filter((zone) => pfn >= zone.startPfn && pfn < zone.endPfn),
              quiet,
            ));
      for (const { zone, runs } of this.#memberships.perCpuLists) {
        const pfns = (runs ?? []).flatMap(framesOf);
        const believed = pfns.every(
          (pfn) => pfn >= zone.startPfn && pfn < zone.endPfn && labelNow(pfn) === 'other',
        );
        for (const pfn of pfns) {
          const label = labelNow(pfn);
          if (believed) {
            settled.set(pfn, 'free-pcp');
          } else if (label !== undefined) {
            settled.set(pfn, pageClasses[labelNumbers[label]].expendable ? 'unknown' : label);
          }
        }
      }
      this.#perCpuFrames = settled;
    }
    return this.#perCpuFrames;
  }

  #namedByHugePool(pfn: Pfn, label: PageLabel, checks: Checks): PageLabel {
    if (label !== 'hugetlb') {
      return label;
    }
    const run = this.#memberships.freeHugePages.find((entry) => runHolds(entry, pfn));
    const waits = run !== undefined && this.#isWholly('hugetlb', run, undefined);
    return checks.that(waits, 'it waits in the pool of free huge pages') ? 'hugetlb-free' : label;
  }

  /** Names for what carries no mark in the memmap; all of it is critical with or without. */
  #namedByKernel(pfn: Pfn, label: PageLabel, checks: Checks): PageLabel {
    if (label !== 'other' && label !== 'reserved') {
      return label;
    }
    const { tablePfns, stackPfns, image } = this.#memberships;
    if (checks.that(tablePfns.has(pfn), 'page tables of the kernel or a process lead to it')) {
      return 'page-table';
    }
    if (label === 'other') {
      return checks.that(stackPfns.has(pfn), "it is part of a task's stack")
        ? 'kernel-stack'
        : label;
    }
    return checks.that(
      pfn >= image.start && pfn < image.end,
      "it lies in the kernel's image, from _text to _end",
    )
      ? 'kernel-image'
      : label;
  }

  #heldAgainstSpans(label: PageLabel, spanning: readonly Zone[], checks: Checks): PageLabel {
    const owned = checks.that(
      spanning.length > 0,
      'a zone spans it, so it is RAM to the kernel',
      spanning.map((zone) => this.#nameOf(zone)).join('; '),
    );
    if (!owned) {
      return 'not-ram';
    }
    return spanning.some(({ index }) => index === this.#deviceZone) &&
      checks.that(true, 'its zone is ZONE_DEVICE')
      ? 'device'
      : label;
  }

  #heldAgainstCacheCounters(label: PageLabel, checks: Checks): PageLabel {
    if (label !== 'file-reread') {
      return label;
    }
    // The labels tell clean cache from cache that is taken back, but both count as cache.
    this.#cacheDoubts ??= cacheDoubts(this.#kernel, this.#memmap, this.#map.labels);
    return checks.that(
      this.#cacheDoubts.length === 0,
      'the kernel counts as much cache as the memmap shows',
      this.#cacheDoubts.join('; '),
    )
      ? label
      : 'file-clean';
  }

  /** Undefined where classify has found that all adds up: then no zone disagrees. */
  #guardsOfMemmap(): MemmapLabels | undefined {
    if (this.#map.evidence.kind !== 'complete') {
      const scratch = new Uint8Array(this.#map.labels.length);
      this.#guards ??= labelMemmap(this.#kernel, this.#memmap, this.#zones, scratch);
    }
    return this.#guards;
  }

  #isWholly(label: PageLabel, run: FreeRun, zone: Zone | undefined): boolean {
    const end = run.pfn + 2 ** run.order;
    if (zone !== undefined && (run.pfn < zone.startPfn || end > zone.endPfn)) {
      return false;
    }
    // Frames of one block share their label; only a run that is no block is read frame by frame.
    const { block, label: ofHead } = this.#reader.read(run.pfn);
    return block?.headPfn === run.pfn && block.order === run.order
      ? block.broken === undefined && ofHead === label
      : framesOf(run).every(
          (pfn) =>
            pageIndexOf(this.#map.regions, pfn) !== undefined &&
            this.#reader.read(pfn).label === label,
        );
  }

  #nameOf(zone: Zone): string {
    return `node ${zone.node}, ${zoneName(this.#kernel, zone)}`;
  }

  #zoneByFlags({ page }: MemmapReading): string | undefined {
    if (page === undefined) {
      return undefined;
    }
    const zone = this.#zones.find(
      ({ node, index }) => node === page.node && index === page.zoneIndex,
    );
    return zone === undefined
      ? `node ${page.node}, zone ${page.zoneIndex}, which owns no frame`
      : this.#nameOf(zone);
  }

  #membershipsOf(pfn: Pfn): readonly string[] {
    const { tablePfns, stackPfns, image, perCpuLists, freeHugePages } = this.#memberships;
    const found: string[] = [];
    if (tablePfns.has(pfn)) {
      found.push('a page table of the kernel or of a process');
    }
    if (stackPfns.has(pfn)) {
      found.push("part of a task's stack");
    }
    if (pfn >= image.start && pfn < image.end) {
      found.push("between _text and _end of the kernel's image");
    }
    for (const { cpu, zone, runs } of perCpuLists) {
      const run = runs?.find((entry) => runHolds(entry, pfn));
      if (run !== undefined) {
        found.push(
          `on the free list of CPU ${cpu.number}, ${this.#nameOf(zone)}, ` +
            `order ${run.order} from frame ${run.pfn}`,
        );
      }
    }
    const hugePage = freeHugePages.find((run) => runHolds(run, pfn));
    if (hugePage !== undefined) {
      found.push(`in the pool of free huge pages, order ${hugePage.order} from ${hugePage.pfn}`);
    }
    return found;
  }
}

function framesOf({ pfn, order }: FreeRun): readonly Pfn[] {
  return Array.from({ length: 2 ** order }, (_, frame) => pfn + frame);
}
