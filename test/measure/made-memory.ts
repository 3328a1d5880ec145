// An image of a few MiB made by hand: pages of all kinds, windows of mixed labels, a last block that is not full, a hole.
import type { PageMap } from '../../introspect/label/page-map.js';
import { ImageView } from '../../introspect/memory/image-view.js';
import { pageSizeBytes, type PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { labelNumbers } from '../../introspect/page-class.js';
import { samplePage } from '../pack/sample-pages.js';

/** Two blocks of 4 MiB, one of them all zero, and a block and a window that are not full. */
const pageCount = 2 * 1024 + 100;
const hole = { startPage: 1024, endPage: 2048 };

export const imageBytes = Buffer.concat(
  Array.from({ length: pageCount }, (_, page) => {
    const isHole = page >= hole.startPage && page < hole.endPage;
    if (isHole || page % 5 === 0) {
      return samplePage('zero', 1);
    }
    // Every seventh is one of three that come again and again.
    return page % 7 === 0 ? samplePage('repeat', (page % 3) + 1) : samplePage('noise', page + 1);
  }),
);

const regions = [{ gpaStart: 0, sizeBytes: imageBytes.length, imageOffset: 0 }];

export const madeMap: PageMap = {
  regions,
  labels: Uint8Array.from({ length: pageCount }, (_, page) =>
    page % 3 === 0 ? labelNumbers.free : page % 200 < 100 ? labelNumbers.anon : labelNumbers.slab,
  ),
  evidence: { kind: 'complete' },
  warnings: [],
  kernel: { release: '6.1.0', buildId: '00' },
};

function readFrom(offset: number, target: Uint8Array): void {
  target.set(imageBytes.subarray(offset, offset + target.length));
}

export const madeMemory: PhysicalMemory = new ImageView(regions, readFrom);

/** The made memory as a sparse file shows it, and the offsets that were read. */
export function sparseMemory(): { readonly memory: PhysicalMemory; readonly read: number[] } {
  const read: number[] = [];
  const startOffset = hole.startPage * pageSizeBytes;
  const endOffset = hole.endPage * pageSizeBytes;
  const memory = new ImageView(
    regions,
    (offset, target) => {
      read.push(offset);
      readFrom(offset, target);
    },
    undefined,
    (offset) =>
      offset < startOffset
        ? { startOffset: offset, endOffset: startOffset }
        : offset < imageBytes.length
          ? { startOffset: Math.max(offset, endOffset), endOffset: imageBytes.length }
          : undefined,
  );
  return { memory, read };
}
