// What a manifest of a large VM costs: bytes of its base and of a delta, and the time to open the longest chain that is allowed.
//
//   npx tsx bench/manifest-chain.ts [--gib=64] [--rounds=7]
//
// Question: does a snapshot at the end of a chain open in at most one and a half times its base's time, and does a delta write
// what changed and little more? Method: RAM of that size is made up: runs of pages of one label, and runs of pages that are
// zero, a third of all; critical pages in frames kept three times, the others in frames kept once; frames that shrank to random
// lengths. From then on pages are written at random, half of them next to each other. Opening is decoding from memory, a base
// and the chain in turn, round by round. Not measured: the store.
import { parseArgs } from 'node:util';
import { decodeManifest } from '../src/manifest/decode.js';
import { maxBodyCount } from '../src/manifest/layout.js';
import { manifestFiles } from '../src/manifest/manifest-files.js';
import { packName } from '../src/manifest/pack-name.js';
import type { Manifest, PackEntry, RamSpace } from '../src/manifest/types.js';
import { maskPageCount } from '../src/pack/mask.js';

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '7' },
    changed: { type: 'string', default: '1000,10000' },
  },
});
const writer = '00000000000000aa';
const packBytes = 64 * 2 ** 20;
const pageCount = Number(values.gib) * 2 ** 18;
const legend = ['critical', 'free', 'cache'];

/** xorshift32: the same numbers in each run. */
let state = 0x2545_f491;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);

/** Many of a few pages, few of thousands. */
function runLength(): number {
  return Math.max(1, Math.floor(2 ** (random() * random() * 14)));
}

function fillRuns(column: Uint8Array, value: () => number): void {
  for (let page = 0; page < column.length;) {
    const length = Math.min(runLength(), column.length - page);
    column.fill(value(), page, page + length);
    page += length;
  }
}

interface Vm {
  /** By page: its label, */
  readonly labels: Uint8Array;
  /** the frame that it lies in and its place there; none: it is zero. */
  readonly frame: Int32Array;
  readonly slot: Uint8Array;
  readonly frames: {
    readonly pack: number[];
    readonly offset: number[];
    readonly length: number[];
    readonly identity: number[];
    readonly pageCount: number[];
  };
  readonly packs: PackEntry[];
}

function madeVm(): Vm {
  const labels = new Uint8Array(pageCount);
  fillRuns(labels, () => below(3));
  const isZero = new Uint8Array(pageCount);
  fillRuns(isZero, () => (random() < 1 / 3 ? 1 : 0));
  const vm: Vm = {
    labels,
    frame: new Int32Array(pageCount).fill(-1),
    slot: new Uint8Array(pageCount),
    frames: { pack: [], offset: [], length: [], identity: [], pageCount: [] },
    packs: [],
  };
  for (const isCritical of [false, true]) {
    const open = newPack(vm, isCritical ? 3 : 1);
    for (let first = 0; first < pageCount; first += 64) {
      const pages: number[] = [];
      for (let page = first; page < Math.min(first + 64, pageCount); page++) {
        if ((labels[page] === 0) === isCritical && isZero[page] === 0) {
          pages.push(page);
        }
      }
      if (pages.length > 0) {
        open.put(pages);
      }
    }
  }
  return vm;
}

function newPack(vm: Vm, replication: number) {
  let rawBytes = packBytes;
  const begin = (): void => {
    vm.packs.push({ name: packName(writer, vm.packs.length), sizeBytes: 32, replication });
    rawBytes = 0;
  };
  return {
    put(pages: readonly number[]): void {
      if (rawBytes + pages.length * 4096 > packBytes) {
        begin();
      }
      rawBytes += pages.length * 4096;
      const pack = vm.packs.length - 1;
      const entry = vm.packs[pack];
      const length = 20 + Math.ceil(pages.length * 4096 * (0.2 + 0.5 * random()));
      const { frames } = vm;
      pages.forEach((page, slot) => {
        vm.frame[page] = frames.pack.length;
        vm.slot[page] = slot;
      });
      frames.pack.push(pack);
      frames.offset.push(entry.sizeBytes);
      frames.length.push(length);
      frames.identity.push(below(2 ** 32));
      frames.pageCount.push(pages.length);
      vm.packs[pack] = { ...entry, sizeBytes: entry.sizeBytes + length };
    },
  };
}

/** As an increment does: what changed goes into new frames, whatever windows it is of. */
function write(vm: Vm, changedCount: number): void {
  const pages = new Set<number>();
  while (pages.size < changedCount) {
    const first = below(pageCount);
    const length = random() < 0.5 ? 1 : 1 + below(32);
    for (
      let page = first;
      page < first + length && page < pageCount && pages.size < changedCount;
      page++
    ) {
      pages.add(page);
      if (random() < 0.2) {
        vm.labels[page] = below(3);
      }
    }
  }
  const sorted = [...pages].sort((a, b) => a - b);
  const open = newPack(vm, 3);
  for (let at = 0; at < sorted.length; at += 64) {
    open.put(sorted.slice(at, at + 64));
  }
}

function manifestOf(vm: Vm): Manifest {
  const labelCounts: Record<string, number> = {};
  for (const label of vm.labels) {
    labelCounts[legend[label]] = (labelCounts[legend[label]] ?? 0) + 1;
  }
  const used = new Uint8Array(vm.frames.pack.length);
  for (const frame of vm.frame) {
    if (frame >= 0) {
      used[frame] = 1;
    }
  }
  const kept = Uint32Array.from(used.keys()).filter((frame) => used[frame] === 1);
  const index = new Int32Array(used.length);
  kept.forEach((frame, at) => (index[frame] = at));
  const packs = [...new Set(kept.map((frame) => vm.frames.pack[frame]))];
  const packIndex = new Map(packs.map((pack, at) => [pack, at]));
  return {
    header: {
      id: writer,
      vm: 'bench',
      createdMs: 1,
      requiredFeatures: [],
      packs: packs.map((pack) => vm.packs[pack]),
      bodies: [],
      pageHashes: [],
      attachments: [],
      guest: null,
      evidence: 'complete',
      labelCounts,
      legend,
      imageSizeBytes: pageCount * 4096,
    },
    frames: {
      pack: kept.map((frame) => packIndex.get(vm.frames.pack[frame]) ?? 0),
      offset: kept.map((frame) => vm.frames.offset[frame]),
      length: kept.map((frame) => vm.frames.length[frame]),
      identity: kept.map((frame) => vm.frames.identity[frame]),
      pageCount: Uint8Array.from(kept, (frame) => vm.frames.pageCount[frame]),
    },
    spaces: [ramOf(vm, index)],
  };
}

function ramOf(vm: Vm, index: Int32Array): RamSpace {
  const label: number[] = [];
  const firstPage: number[] = [];
  const counts: number[] = [];
  const window: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  const frame: number[] = [];
  const slot: number[] = [];
  for (let page = 0; page < pageCount; page++) {
    if (vm.labels[page] === label.at(-1)) {
      counts[counts.length - 1]++;
    } else {
      label.push(vm.labels[page]);
      firstPage.push(page);
      counts.push(1);
    }
    if (vm.frame[page] < 0) {
      continue;
    }
    const bit = page % 64;
    let place = findLast(window, frame, page, index[vm.frame[page]]);
    if (place === -1 || vm.slot[page] !== nextSlotOf(slot, low, high, place)) {
      place = window.length;
      window.push(Math.floor(page / 64));
      low.push(0);
      high.push(0);
      frame.push(index[vm.frame[page]]);
      slot.push(vm.slot[page]);
    }
    if (bit < 32) {
      low[place] = (low[place] | (1 << bit)) >>> 0;
    } else {
      high[place] = (high[place] | (1 << (bit - 32))) >>> 0;
    }
  }
  return {
    kind: 'ram',
    name: 'ram',
    pageSizeBytes: 4096,
    regions: [{ start: 0, sizeBytes: pageCount * 4096 }],
    labelRuns: {
      label: Uint8Array.from(label),
      firstPage: Uint32Array.from(firstPage),
      pageCount: Uint32Array.from(counts),
    },
    places: {
      window: Uint32Array.from(window),
      maskLow: Uint32Array.from(low),
      maskHigh: Uint32Array.from(high),
      frame: Uint32Array.from(frame),
      slot: Uint8Array.from(slot),
    },
  };
}

/** The newest place of the page's window in that frame. */
function findLast(window: number[], frame: number[], page: number, of: number): number {
  const wanted = Math.floor(page / 64);
  for (let place = window.length - 1; place >= 0 && window[place] === wanted; place--) {
    if (frame[place] === of) {
      return place;
    }
  }
  return -1;
}

function nextSlotOf(slot: number[], low: number[], high: number[], place: number): number {
  return slot[place] + maskPageCount(low[place], high[place]);
}

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

const vm = madeVm();
const first = manifestOf(vm);
const base = manifestFiles(first, `packs/${writer}/body`);
console.log(
  `${values.gib} GiB, ${first.spaces[0].labelRuns.label.length} label runs, ${first.frames.pack.length} frames, ` +
    `${first.spaces[0].places.window.length} places, ${first.header.packs.length} packs`,
);
console.log(`base: body ${kib(base.body.length)}, manifest ${kib(base.file.length)}`);

for (const changedCount of values.changed.split(',').map(Number)) {
  const bodies = [base.body];
  let before = base.manifest;
  let file = base.file;
  while (bodies.length < maxBodyCount) {
    write(vm, changedCount);
    const files = manifestFiles(manifestOf(vm), `packs/${writer}/body`, before);
    if (files.manifest.header.bodies.length === 1) {
      break;
    }
    bodies.push(files.body);
    before = files.manifest;
    file = files.file;
  }
  const deltas = bodies.slice(1).map((body) => body.length);
  const largest = Math.max(...deltas) + file.length;
  console.log(
    `${changedCount} pages changed: ${deltas.length} deltas, the largest with its manifest ${kib(largest)}, ` +
      `allowed ${kib(65_536 + 24 * changedCount)}`,
  );
  const ratios: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const baseMs = timeOf(() => decodeManifest(base.file, [base.body]));
    const chainMs = timeOf(() => decodeManifest(file, bodies));
    ratios.push(chainMs / baseMs);
    if (round === 0) {
      console.log(`opens in ${chainMs.toFixed(0)} ms, its base in ${baseMs.toFixed(0)} ms`);
    }
  }
  ratios.sort((a, b) => a - b);
  console.log(
    `ratio: median ${ratios[ratios.length >> 1].toFixed(2)} (${ratios[0].toFixed(2)} - ${ratios[ratios.length - 1].toFixed(2)})`,
  );
}

function timeOf(work: () => unknown): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}
