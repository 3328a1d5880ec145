// Address spaces as a manifest may describe them: any masks, any labels, frames of any packs, for property tests.

import fc from 'fast-check';
import type { AddressSpace } from '../../src/manifest/types.js';

export const windowPageCount = 64;

/** Which frame, if any, holds each page: frame numbers per window from 0. */
export interface RandomSpace {
  readonly space: AddressSpace;
  /** Label number of each page. */
  readonly labels: readonly number[];
  /** Frame index of each page, undefined for a page of zeroes. */
  readonly frameOfPage: readonly (number | undefined)[];
}

/** A disk whose every page lies in one pack, a frame for each window. */
export function diskSpaceIn(pack: number, pageCount: number, label: number): AddressSpace {
  const windowCount = Math.ceil(pageCount / windowPageCount);
  const column = (value: (window: number) => number) =>
    Uint32Array.from({ length: windowCount }, (_, window) => value(window));
  const half = (window: number, from: number) =>
    2 ** Math.max(0, Math.min(32, pageCount - window * windowPageCount - from)) - 1;
  return {
    name: 'disk-vda',
    pageSizeBytes: 4096,
    regions: [{ start: 0, sizeBytes: pageCount * 4096 }],
    labelRuns: {
      label: Uint8Array.of(label),
      firstPage: Uint32Array.of(0),
      pageCount: Uint32Array.of(pageCount),
    },
    frames: {
      window: column((window) => window),
      maskLow: column((window) => half(window, 0)),
      maskHigh: column((window) => half(window, 32)),
      offset: column((window) => 32 + window * 1000),
      length: column(() => 1000),
      pack: column(() => pack),
    },
    pageHashes: null,
    disk: {
      name: 'vda',
      sourcePath: '/vm/vda',
      sourceFormat: 'raw',
      sizeBytes: pageCount * 4096,
    },
  };
}

/** Up to 3 frames per window, at most one for each pack. */
export const randomSpace: fc.Arbitrary<RandomSpace> = fc
  .array(
    fc.record({
      label: fc.nat({ max: 3 }),
      pack: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
      repeat: fc.integer({ min: 1, max: 40 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((runs) => runs.flatMap((run) => Array.from({ length: run.repeat }, () => run)))
  .map(spaceOfPages);

function spaceOfPages(
  pages: readonly { readonly label: number; readonly pack: number | undefined }[],
): RandomSpace {
  const frames: { window: number; pack: number; bits: number[] }[] = [];
  const frameOfPage: (number | undefined)[] = [];
  for (const [page, { pack }] of pages.entries()) {
    if (pack === undefined) {
      frameOfPage.push(undefined);
      continue;
    }
    const window = Math.floor(page / windowPageCount);
    let index = frames.findIndex((frame) => frame.window === window && frame.pack === pack);
    if (index < 0) index = frames.push({ window, pack, bits: [] }) - 1;
    frames[index].bits.push(page % windowPageCount);
    frameOfPage.push(index);
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
  const nextOffset = [32, 32, 32];
  const offsets = frames.map(({ pack, bits }) => {
    const offset = nextOffset[pack];
    nextOffset[pack] += bits.length * 1000;
    return offset;
  });
  const space: AddressSpace = {
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
    frames: {
      window: Uint32Array.from(frames, ({ window }) => window),
      maskLow: Uint32Array.from(frames, ({ bits }) => half(bits, 0)),
      maskHigh: Uint32Array.from(frames, ({ bits }) => half(bits, 32)),
      offset: Uint32Array.from(offsets),
      length: Uint32Array.from(frames, ({ bits }) => bits.length * 1000),
      pack: Uint32Array.from(frames, ({ pack }) => pack),
    },
    pageHashes: null,
  };
  return { space, labels, frameOfPage };
}
