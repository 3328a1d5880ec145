// Pages of an image file as a test looks at them: which are zero, which differ from another file's.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export const pageSizeBytes = 4096;
const chunkPageCount = 4096;
const zeroPage = Buffer.alloc(pageSizeBytes);

export function zeroPageCount(path: string): number {
  let count = 0;
  forEachPage([path], (_, [page]) => {
    if (page.equals(zeroPage)) {
      count++;
    }
  });
  return count;
}

export interface PageDifferences {
  /** Ascending. */
  readonly pages: readonly number[];
  /** Whether the second file is zero at all of them. */
  readonly areZeroInSecond: boolean;
}

/** Throws when the files differ in length. */
export function differingPages(firstPath: string, secondPath: string): PageDifferences {
  const pages: number[] = [];
  let areZeroInSecond = true;
  forEachPage([firstPath, secondPath], (index, [first, second]) => {
    if (first.equals(second)) {
      return;
    }
    pages.push(index);
    areZeroInSecond &&= second.equals(zeroPage);
  });
  return { pages, areZeroInSecond };
}

/** Bits of the given pages that are 1 in the first file and 0 in the second, and the other way round. */
export function differingBits(
  firstPath: string,
  secondPath: string,
  pages: readonly number[],
): { readonly clearedCount: number; readonly setCount: number } {
  const wanted = new Set(pages);
  let clearedCount = 0;
  let setCount = 0;
  forEachPage([firstPath, secondPath], (index, [first, second]) => {
    if (!wanted.has(index)) {
      return;
    }
    for (let at = 0; at < pageSizeBytes; at++) {
      clearedCount += bitCount(first[at] & ~second[at]);
      setCount += bitCount(second[at] & ~first[at]);
    }
  });
  return { clearedCount, setCount };
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) {
    count++;
  }
  return count;
}

/** The given pages of a file that are not zero: losing a zero page would not show. */
export function nonZeroPages(path: string, pages: readonly number[]): readonly number[] {
  const wanted = new Set(pages);
  const found: number[] = [];
  forEachPage([path], (index, [page]) => {
    if (wanted.has(index) && !page.equals(zeroPage)) {
      found.push(index);
    }
  });
  return found;
}

function forEachPage(
  paths: readonly string[],
  look: (index: number, pages: readonly Buffer[]) => void,
): void {
  const fds = paths.map((path) => openSync(path, 'r'));
  try {
    const sizes = fds.map((fd) => fstatSync(fd).size);
    if (sizes.some((size) => size !== sizes[0])) {
      throw new Error(`expected files of one length, found ${sizes.join(' and ')} bytes`);
    }
    const chunks = paths.map(() => Buffer.alloc(chunkPageCount * pageSizeBytes));
    for (let at = 0; at < sizes[0]; at += chunks[0].length) {
      const length = Math.min(chunks[0].length, sizes[0] - at);
      fds.forEach((fd, file) => readSync(fd, chunks[file], 0, length, at));
      // Equal stretches are the rule and go by memcmp.
      const isEqual =
        chunks.length > 1 &&
        chunks.every((chunk) => chunk.compare(chunks[0], 0, length, 0, length) === 0);
      if (isEqual) {
        continue;
      }
      for (let page = 0; page * pageSizeBytes < length; page++) {
        const start = page * pageSizeBytes;
        look(
          at / pageSizeBytes + page,
          chunks.map((chunk) => chunk.subarray(start, start + pageSizeBytes)),
        );
      }
    }
  } finally {
    fds.forEach((fd) => {
      closeSync(fd);
    });
  }
}
