// Address spaces as a manifest may describe them: any masks, any labels, frames of any packs, for property tests.

import fc from 'fast-check';
import type { DiskSpace, RamSpace, SnapshotFrames } from '../../src/manifest/types.js';

export const windowPageCount = 64;
const framePageCount = 64;
const frameCount = 6;
/** Packs that frames lie in. */
export const packCount = 4;

/** Which frame, if any, holds each page. */
export interface RandomSpace {
  readonly space: RamSpace;
  /** Some may hold no page of the space, others pages of several windows. */
  readonly frames: SnapshotFrames;
  /** Label number of each page. */
  readonly labels: readonly number[];
  /** Frame index of each page, undefined for a page of zeroes. */
  readonly frameOfPage: readonly (number | undefined)[];
}

export interface PlacedDisk {
  readonly disk: DiskSpace;
  /** The frames that were there before, and the disk's. */
  readonly frames: SnapshotFrames;
  /** Frame index of each page. */
  readonly frameOfPage: readonly number[];
}

/**
 * A disk that is stored whole, a frame for each window. Its first window lies in a frame that may hold pages of RAM too, as
 * where both have the same; the others in one pack of their own.
 */
export function diskBeside(
  frames: SnapshotFrames,
  pack: number,
  pageCount: number,
  label: number,
): PlacedDisk {
  const windowCount = Math.ceil(pageCount / windowPageCount);
  const column = (value: (window: number) => number) =>
    Uint32Array.from({ length: windowCount }, (_, window) => value(window));
  const half = (window: number, from: number) =>
    2 ** Math.max(0, Math.min(32, pageCount - window * windowPageCount - from)) - 1;
  const frameOf = (window: number) => (window === 0 ? 0 : frames.pack.length + window - 1);
  const packs = [...frames.pack, ...Array.from({ length: windowCount - 1 }, () => pack)];
  return {
    disk: {
      kind: 'disk',
      name: 'disk-vda',
      pageSizeBytes: 4096,
      regions: [{ start: 0, sizeBytes: pageCount * 4096 }],
      labelRuns: {
        label: Uint8Array.of(label),
        firstPage: Uint32Array.of(0),
        pageCount: Uint32Array.of(pageCount),
      },
      places: {
        window: column((window) => window),
        maskLow: column((window) => half(window, 0)),
        maskHigh: column((window) => half(window, 32)),
        frame: column(frameOf),
        slot: new Uint8Array(windowCount),
      },
      disk: {
        name: 'vda',
        sourcePath: '/vm/vda',
        sourceFormat: 'raw',
        sizeBytes: pageCount * 4096,
      },
    },
    frames: framesIn(packs),
    frameOfPage: Array.from({ length: pageCount }, (_, page) =>
      frameOf(Math.floor(page / windowPageCount)),
    ),
  };
}

/** Frames of as many pages as there can be, back to back in the pack that each lies in. */
function framesIn(packs: readonly number[]): SnapshotFrames {
  const sizeBytes = 1000;
  const column = (value: (pack: number, frame: number) => number) => Uint32Array.from(packs, value);
  return {
    pack: column((pack) => pack),
    offset: column(
      (pack, frame) =>
        32 + packs.slice(0, frame).filter((other) => other === pack).length * sizeBytes,
    ),
    length: column(() => sizeBytes),
    identity: column((_, frame) => frame),
    pageCount: new Uint8Array(packs.length).fill(framePageCount),
  };
}

/** Up to 6 frames, each in any window. */
export const randomSpace: fc.Arbitrary<RandomSpace> = fc
  .record({
    packs: fc.array(fc.nat({ max: packCount - 2 }), {
      minLength: frameCount,
      maxLength: frameCount,
    }),
    runs: fc.array(
      fc.record({
        label: fc.nat({ max: 3 }),
        frame: fc.option(fc.nat({ max: frameCount - 1 }), { nil: undefined }),
        repeat: fc.integer({ min: 1, max: 40 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ packs, runs }) =>
    spaceOfPages(
      runs.flatMap((run) => Array.from({ length: run.repeat }, () => run)),
      framesIn(packs),
    ),
  );

function spaceOfPages(
  pages: readonly { readonly label: number; readonly frame: number | undefined }[],
  frames: SnapshotFrames,
): RandomSpace {
  const places: { window: number; frame: number; bits: number[] }[] = [];
  for (const [page, { frame }] of pages.entries()) {
    if (frame === undefined) {
      continue;
    }
    const window = Math.floor(page / windowPageCount);
    let index = places.findIndex((place) => place.window === window && place.frame === frame);
    if (index < 0) {
      index = places.push({ window, frame, bits: [] }) - 1;
    }
    places[index].bits.push(page % windowPageCount);
  }
  const labels = pages.map(({ label }) => label);
  const starts = labels.flatMap((label, page) =>
    page === 0 || labels[page - 1] !== label ? [page] : [],
  );
  const half = (bits: readonly number[], from: number) =>
    bits.reduce(
      (mask, bit) => (bit >= from && bit < from + 32 ? mask + 2 ** (bit - from) : mask),
      0,
    );
  const space: RamSpace = {
    kind: 'ram',
    name: 'ram',
    pageSizeBytes: 4096,
    regions: [{ start: 0, sizeBytes: pages.length * 4096 }],
    labelRuns: {
      label: Uint8Array.from(starts, (page) => labels[page]),
      firstPage: Uint32Array.from(starts),
      pageCount: Uint32Array.from(
        starts,
        (page, run) => (run + 1 < starts.length ? starts[run + 1] : labels.length) - page,
      ),
    },
    places: {
      window: Uint32Array.from(places, ({ window }) => window),
      maskLow: Uint32Array.from(places, ({ bits }) => half(bits, 0)),
      maskHigh: Uint32Array.from(places, ({ bits }) => half(bits, 32)),
      frame: Uint32Array.from(places, ({ frame }) => frame),
      // As far behind the frame's first page as there is room: where a place begins says nothing of its loss.
      slot: Uint8Array.from(places, ({ bits }) => framePageCount - bits.length),
    },
  };
  return { space, frames, labels, frameOfPage: pages.map(({ frame }) => frame) };
}
