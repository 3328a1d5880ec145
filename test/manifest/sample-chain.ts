// Snapshots that follow each other: made at random from a seed, as a base and what changed since.
import { baseOf } from '../../src/manifest/body/base.js';
import { deltaOf } from '../../src/manifest/body/delta.js';
import { encodeBody } from '../../src/manifest/body/encode.js';
import { packName } from '../../src/manifest/pack-name.js';
import type {
  DiskSpace,
  Manifest,
  ManifestHeader,
  PackEntry,
  RamSpace,
} from '../../src/manifest/types.js';
import type { PlaceColumns } from '../../src/pack/types.js';
import { randomFrom } from '../e2e/random-numbers.js';
import { healingKeys } from './sample-manifest.js';

/** Where one page of a space is: a frame and a slot, or nowhere. */
interface Page {
  readonly frame: number;
  readonly slot: number;
}

interface Frame {
  readonly pack: number;
  readonly offset: number;
  readonly pageCount: number;
  readonly identity: number;
}

/** A VM whose pages move about: all that a manifest says, page by page. */
export class MadeVm {
  readonly #random: () => number;
  readonly #pageCount: number;
  readonly #labels: number[];
  #pages: (Page | undefined)[];
  #disk: (Page | undefined)[] | undefined;
  readonly #frames: Frame[] = [];
  readonly #packSizes: number[] = [];
  #generation = 0;
  #held = false;
  #heals = false;

  constructor(seed: number, pageCount: number) {
    this.#random = randomFrom(seed);
    this.#pageCount = pageCount;
    this.#labels = Array.from({ length: pageCount }, () => this.#below(3));
    this.#pages = Array.from({ length: pageCount }, () => undefined);
    this.step(pageCount);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** Some pages are written, some go, labels change; a disk may come, be written, or go. */
  step(changedCount: number): void {
    this.#generation++;
    const pack = this.#packSizes.length;
    this.#packSizes.push(32);
    let frame: Frame | undefined;
    let slot = 0;
    const put = (pages: (Page | undefined)[], page: number): void => {
      if (this.#random() < 0.1) {
        pages[page] = undefined;
        return;
      }
      if (this.#random() < 0.1 && this.#frames.length > 0) {
        // A page that is stored already.
        const index = this.#below(this.#frames.length);
        pages[page] = { frame: index, slot: this.#below(this.#frames[index].pageCount) };
        return;
      }
      if (frame === undefined || slot === frame.pageCount) {
        frame = {
          pack,
          offset: this.#packSizes[pack],
          pageCount: 1 + this.#below(64),
          identity: this.#below(2 ** 32),
        };
        this.#packSizes[pack] += 21;
        this.#frames.push(frame);
        slot = 0;
      }
      pages[page] = { frame: this.#frames.length - 1, slot: slot++ };
    };
    const first = this.#below(this.#pageCount);
    for (let count = 0; count < changedCount; count++) {
      // Mostly neighbours, as guests write.
      const page =
        this.#random() < 0.7 ? (first + count) % this.#pageCount : this.#below(this.#pageCount);
      put(this.#pages, page);
      if (this.#random() < 0.3) {
        this.#labels[page] = this.#below(3);
      }
    }
    this.#changeDisk(put);
    if (this.#random() < 0.3) {
      this.#held = !this.#held;
    }
    if (this.#random() < 0.3) {
      this.#heals = !this.#heals;
    }
  }

  #changeDisk(put: (pages: (Page | undefined)[], page: number) => void): void {
    const chance = this.#random();
    if (this.#disk === undefined) {
      if (chance < 0.4) {
        this.#disk = Array.from({ length: 70 }, () => undefined);
      }
    } else if (chance < 0.2) {
      this.#disk = undefined;
    }
    for (let count = 0; this.#disk !== undefined && count < 9; count++) {
      put(this.#disk, this.#below(70));
    }
  }

  manifest(): Manifest {
    const spaces = [this.#ram(), ...(this.#disk === undefined ? [] : [diskOf(this.#disk)])];
    const used = [...new Set(spaces.flatMap(({ places }) => [...places.frame]))].sort(
      (a, b) => a - b,
    );
    const frames = used.map((frame) => this.#frames[frame]);
    const packs = [...new Set(frames.map(({ pack }) => pack))].sort((a, b) => a - b);
    return {
      header: this.#header(spaces, packs),
      frames: {
        pack: Uint32Array.from(frames, ({ pack }) => packs.indexOf(pack)),
        offset: Uint32Array.from(frames, ({ offset }) => offset),
        length: Uint32Array.from(frames, () => 21),
        identity: Uint32Array.from(frames, ({ identity }) => identity),
        pageCount: Uint8Array.from(frames, ({ pageCount }) => pageCount),
      },
      spaces: spaces.map((space) => ({
        ...space,
        places: { ...space.places, frame: space.places.frame.map((frame) => used.indexOf(frame)) },
      })),
    };
  }

  #header(spaces: readonly (RamSpace | DiskSpace)[], packs: readonly number[]): ManifestHeader {
    const legend = ['critical', 'unused', 'free', 'disk'];
    const labelCounts: Record<string, number> = {};
    for (const { labelRuns } of spaces) {
      labelRuns.label.forEach((label, run) => {
        labelCounts[legend[label]] = (labelCounts[legend[label]] ?? 0) + labelRuns.pageCount[run];
      });
    }
    return {
      id: String(this.#generation).padStart(16, '0'),
      vm: 'made',
      createdMs: this.#generation,
      requiredFeatures: [],
      packs: packs.map((pack): PackEntry => ({
        name: packName('00000000000000aa', pack),
        sizeBytes: this.#packSizes[pack],
        replication: 3,
      })),
      bodies: [],
      pageHashes: [],
      attachments: [],
      guest: null,
      evidence: 'complete',
      labelCounts,
      legend,
      imageSizeBytes: this.#pageCount * 4096,
    };
  }

  #ram(): RamSpace {
    const runs: { label: number; firstPage: number; pageCount: number }[] = [];
    this.#labels.forEach((label, page) => {
      const last = runs.at(-1);
      if (last?.label === label) {
        last.pageCount++;
      } else {
        runs.push({ label, firstPage: page, pageCount: 1 });
      }
    });
    const pages = [...this.#pages.keys()].filter((page) => (page + this.#generation) % 7 === 0);
    return {
      kind: 'ram',
      name: 'ram',
      pageSizeBytes: 4096,
      regions: [{ start: 0, sizeBytes: this.#pageCount * 4096 }],
      labelRuns: {
        label: Uint8Array.from(runs, ({ label }) => label),
        firstPage: Uint32Array.from(runs, ({ firstPage }) => firstPage),
        pageCount: Uint32Array.from(runs, ({ pageCount }) => pageCount),
      },
      places: placesOf(this.#pages),
      healing: this.#heals ? healingKeys.healing : undefined,
      notStored: this.#heals ? [1] : undefined,
      diskHeld: this.#held
        ? {
            disks: [{ name: 'vda', sizeBytes: 2 ** 30 }],
            page: Uint32Array.from(pages),
            disk: new Uint8Array(pages.length),
            offsetBytes: Float64Array.from(pages, (page) => (page % 5) * 4096),
            hash: new Uint8Array(pages.length * 16).fill(9),
          }
        : undefined,
    };
  }
}

function diskOf(pages: readonly (Page | undefined)[]): DiskSpace {
  return {
    kind: 'disk',
    name: 'disk-vda',
    pageSizeBytes: 4096,
    regions: [{ start: 0, sizeBytes: pages.length * 4096 }],
    labelRuns: {
      label: Uint8Array.of(3),
      firstPage: Uint32Array.of(0),
      pageCount: Uint32Array.of(pages.length),
    },
    places: placesOf(pages),
    disk: {
      name: 'vda',
      sourcePath: '/a.qcow2',
      sourceFormat: 'qcow2',
      sizeBytes: pages.length * 4096,
    },
  };
}

/** Pages that follow each other in a window and in a frame are one place. */
function placesOf(pages: readonly (Page | undefined)[]): PlaceColumns {
  const places: {
    window: number;
    low: number;
    high: number;
    frame: number;
    slot: number;
    next: number;
  }[] = [];
  pages.forEach((page, index) => {
    if (page === undefined) {
      return;
    }
    const window = Math.floor(index / 64);
    const last = places.at(-1);
    let place = last;
    if (last?.window !== window || last.frame !== page.frame || last.next !== page.slot) {
      place = { window, low: 0, high: 0, frame: page.frame, slot: page.slot, next: page.slot };
      places.push(place);
    }
    if (place === undefined) {
      return;
    }
    const bit = index % 64;
    if (bit < 32) {
      place.low = (place.low | (1 << bit)) >>> 0;
    } else {
      place.high = (place.high | (1 << (bit - 32))) >>> 0;
    }
    place.next = page.slot + 1;
  });
  return {
    window: Uint32Array.from(places, ({ window }) => window),
    maskLow: Uint32Array.from(places, ({ low }) => low),
    maskHigh: Uint32Array.from(places, ({ high }) => high),
    frame: Uint32Array.from(places, ({ frame }) => frame),
    slot: Uint8Array.from(places, ({ slot }) => slot),
  };
}

export interface SampleChain {
  /** The header of the newest snapshot. */
  readonly header: ManifestHeader;
  /** A base and deltas, oldest first. */
  readonly bodies: readonly Uint8Array[];
}

/** A few of them, the same each time. */
export function sampleChains(): readonly SampleChain[] {
  return [1, 2, 3, 4].map((seed) => {
    const vm = new MadeVm(seed, 150 + 40 * seed);
    let before = vm.manifest();
    const bodies = [encodeBody(baseOf(before))];
    for (let step = 0; step < seed; step++) {
      vm.step(20);
      const now = vm.manifest();
      bodies.push(encodeBody(deltaOf(before, now)));
      before = now;
    }
    return { header: before.header, bodies };
  });
}
