// What of a snapshot is another than of the one before, page by page: the body of a delta. Pure.
import { isDeepStrictEqual } from 'node:util';
import { type DiskHeldPages, heldHashOf, pickHeldRows } from '../../../introspect/disk-held.js';
import { type PlaceColumns, windowPageCount } from '../../pack/types.js';
import type { AddressSpace, LabelRuns, Manifest, RamSpace } from '../types.js';
import { usedFrames } from '../used-frames.js';
import { bodyFramesOf, inPackOrder } from './base.js';
import {
  type Body,
  type ChangedLabels,
  type ChangedSpace,
  noFrame,
  type SpaceOfBody,
} from './types.js';

/** A space that is new, or whose regions are others, is whole in it. */
export function deltaOf(before: Manifest, now: Manifest): Body {
  const isSameFrame = sameFrames(before, now);
  const changes = now.spaces.map((space): SpaceOfBody => {
    const earlier = before.spaces.find(({ name }) => name === space.name);
    return earlier === undefined || !isComparable(earlier, space)
      ? { is: 'whole', space }
      : { is: 'changed', change: changeOf(earlier, space, isSameFrame) };
  });
  const placesOf = (entry: SpaceOfBody): PlaceColumns =>
    entry.is === 'whole' ? entry.space.places : entry.change.places;
  const unordered = usedFrames(
    now.frames,
    changes.map((entry) => ({ places: placesOf(entry) })),
  );
  const order = inPackOrder({
    pack: unordered.map((frame) => now.frames.pack[frame]),
    offset: unordered.map((frame) => now.frames.offset[frame]),
  }).map((index) => unordered[index]);
  const { bodyFrames, packNames } = bodyFramesOf(now.frames, order, now.header.packs);
  const newIndex = new Map<number, number>();
  order.forEach((frame, index) => newIndex.set(frame, index));
  const renumbered = (places: PlaceColumns): PlaceColumns => ({
    ...places,
    frame: places.frame.map((frame) => newIndex.get(frame) ?? noFrame),
  });
  return {
    kind: 'delta',
    packNames,
    frames: bodyFrames,
    spaces: changes.map((entry) =>
      entry.is === 'whole'
        ? { is: 'whole', space: { ...entry.space, places: renumbered(entry.space.places) } }
        : { is: 'changed', change: { ...entry.change, places: renumbered(entry.change.places) } },
    ),
  };
}

/** Page by page, and a disk the same but for its pages. */
function isComparable(before: AddressSpace, now: AddressSpace): boolean {
  const isSame = isDeepStrictEqual(before.regions, now.regions);
  return before.kind === 'disk'
    ? now.kind === 'disk' && isSame && isDeepStrictEqual(before.disk, now.disk)
    : now.kind === 'ram' && isSame;
}

type SameFrame = (before: number, now: number) => boolean;

/** Whether a frame of the one manifest is that of the other: at the same place of the same pack. */
function sameFrames(before: Manifest, now: Manifest): SameFrame {
  const packOf = new Map(now.header.packs.map(({ name }, pack) => [name, pack]));
  const packNow = Int32Array.from(before.header.packs, ({ name }) => packOf.get(name) ?? -1);
  const a = before.frames;
  const b = now.frames;
  return (frameBefore, frameNow) =>
    packNow[a.pack[frameBefore]] === b.pack[frameNow] &&
    a.offset[frameBefore] === b.offset[frameNow] &&
    a.identity[frameBefore] === b.identity[frameNow];
}

function changeOf(before: AddressSpace, now: AddressSpace, isSame: SameFrame): ChangedSpace {
  const common = {
    name: now.name,
    labels: changedLabels(before.labelRuns, now.labelRuns),
    places: changedPlaces(before.places, now.places, isSame),
  };
  return before.kind === 'ram' && now.kind === 'ram'
    ? {
        ...common,
        healing: isDeepStrictEqual(before.healing, now.healing) ? undefined : (now.healing ?? null),
        notStored: isDeepStrictEqual(before.notStored, now.notStored)
          ? undefined
          : (now.notStored ?? null),
        diskHeld: changedHeld(before.diskHeld, now.diskHeld),
      }
    : common;
}

/** The labels of `now` where they differ from `before`, which covers the same pages. */
function changedLabels(before: LabelRuns, now: LabelRuns): ChangedLabels {
  const firstPage: number[] = [];
  const pageCount: number[] = [];
  const label: number[] = [];
  let at = 0;
  for (let run = 0; run < now.label.length; run++) {
    const end = now.firstPage[run] + now.pageCount[run];
    for (let page = now.firstPage[run]; page < end;) {
      while (before.firstPage[at] + before.pageCount[at] <= page) {
        at++;
      }
      const partEnd = Math.min(end, before.firstPage[at] + before.pageCount[at]);
      if (before.label[at] !== now.label[run]) {
        const last = label.length - 1;
        if (
          last >= 0 &&
          label[last] === now.label[run] &&
          firstPage[last] + pageCount[last] === page
        ) {
          pageCount[last] += partEnd - page;
        } else {
          firstPage.push(page);
          pageCount.push(partEnd - page);
          label.push(now.label[run]);
        }
      }
      page = partEnd;
    }
  }
  return {
    firstPage: Uint32Array.from(firstPage),
    pageCount: Uint32Array.from(pageCount),
    label: Uint8Array.from(label),
  };
}

/** Where the 64 pages of one window are. */
class WindowPlaces {
  readonly frame = new Uint32Array(windowPageCount);
  readonly slot = new Uint8Array(windowPageCount);

  /** Takes the places of `window` from `at` on; returns where those of the next begin. */
  read(places: PlaceColumns, at: number, window: number): number {
    this.frame.fill(noFrame);
    let place = at;
    for (; places.window[place] === window; place++) {
      let slot = places.slot[place];
      for (let bit = 0; bit < windowPageCount; bit++) {
        const half = bit < 32 ? places.maskLow[place] : places.maskHigh[place];
        if (((half >>> (bit & 31)) & 1) === 1) {
          this.frame[bit] = places.frame[place];
          this.slot[bit] = slot++;
        }
      }
    }
    return place;
  }
}

/** Places of the pages that are elsewhere now, or nowhere. */
function changedPlaces(before: PlaceColumns, now: PlaceColumns, isSame: SameFrame): PlaceColumns {
  const changed = new ChangedPlaces();
  const earlier = new WindowPlaces();
  const present = new WindowPlaces();
  let a = 0;
  let b = 0;
  while (a < before.window.length || b < now.window.length) {
    const window = Math.min(before.window[a] ?? Infinity, now.window[b] ?? Infinity);
    if (isUnchanged(before, a, now, b, window, isSame)) {
      a++;
      b++;
      continue;
    }
    a = earlier.read(before, a, window);
    b = present.read(now, b, window);
    for (let bit = 0; bit < windowPageCount; bit++) {
      const was = earlier.frame[bit];
      const is = present.frame[bit];
      const isUnmoved =
        was === noFrame || is === noFrame
          ? was === is
          : earlier.slot[bit] === present.slot[bit] && isSame(was, is);
      if (!isUnmoved) {
        changed.add(window, bit, is, is === noFrame ? 0 : present.slot[bit]);
      }
    }
  }
  return changed.columns();
}

/** The common case, told without a look at pages: one place of the window in both, and it is the same. */
function isUnchanged(
  before: PlaceColumns,
  a: number,
  now: PlaceColumns,
  b: number,
  window: number,
  isSame: SameFrame,
): boolean {
  return (
    before.window[a] === window &&
    now.window[b] === window &&
    before.window[a + 1] !== window &&
    now.window[b + 1] !== window &&
    before.maskLow[a] === now.maskLow[b] &&
    before.maskHigh[a] === now.maskHigh[b] &&
    before.slot[a] === now.slot[b] &&
    isSame(before.frame[a], now.frame[b])
  );
}

class ChangedPlaces {
  readonly #window: number[] = [];
  readonly #maskLow: number[] = [];
  readonly #maskHigh: number[] = [];
  readonly #frame: number[] = [];
  readonly #slot: number[] = [];
  #nextSlot = 0;

  /** Windows and bits ascend. */
  add(window: number, bit: number, frame: number, slot: number): void {
    const last = this.#window.length - 1;
    const follows =
      last >= 0 &&
      this.#window[last] === window &&
      this.#frame[last] === frame &&
      (frame === noFrame || this.#nextSlot === slot);
    if (!follows) {
      this.#window.push(window);
      this.#maskLow.push(0);
      this.#maskHigh.push(0);
      this.#frame.push(frame);
      this.#slot.push(slot);
    }
    const place = this.#window.length - 1;
    const half = bit < 32 ? this.#maskLow : this.#maskHigh;
    half[place] = (half[place] | (1 << (bit & 31))) >>> 0;
    this.#nextSlot = slot + 1;
  }

  columns(): PlaceColumns {
    return {
      window: Uint32Array.from(this.#window),
      maskLow: Uint32Array.from(this.#maskLow),
      maskHigh: Uint32Array.from(this.#maskHigh),
      frame: Uint32Array.from(this.#frame),
      slot: Uint8Array.from(this.#slot),
    };
  }
}

function changedHeld(
  before: RamSpace['diskHeld'],
  now: RamSpace['diskHeld'],
): ChangedSpace['diskHeld'] {
  if (isDeepStrictEqual(before, now)) {
    return undefined;
  }
  if (now === undefined) {
    return null;
  }
  if (before === undefined || !isDeepStrictEqual(before.disks, now.disks)) {
    return { dropped: undefined, added: now };
  }
  const rowOf = new Map<number, number>();
  now.page.forEach((page, row) => rowOf.set(page, row));
  const kept = new Set<number>();
  const dropped: number[] = [];
  before.page.forEach((page, row) => {
    const rowNow = rowOf.get(page);
    if (rowNow !== undefined && isSameRow(before, row, now, rowNow)) {
      kept.add(rowNow);
    } else {
      dropped.push(page);
    }
  });
  const rows = [...now.page.keys()].filter((row) => !kept.has(row));
  return {
    dropped: Uint32Array.from(dropped),
    added: pickHeldRows(now, Uint32Array.from(rows)),
  };
}

function isSameRow(a: DiskHeldPages, rowA: number, b: DiskHeldPages, rowB: number): boolean {
  return (
    a.disk[rowA] === b.disk[rowB] &&
    a.offsetBytes[rowA] === b.offsetBytes[rowB] &&
    Buffer.compare(heldHashOf(a, rowA), heldHashOf(b, rowB)) === 0
  );
}
