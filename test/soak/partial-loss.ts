// Which pages a disk takes with it when it dies in part: random runs of the expendable ones, and of large folios one half.
import type { PageMap } from '../../introspect/label/page-map.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, pageClasses } from '../../introspect/page-class.js';
import type { LostRun } from '../../src/loss/lost-pages.js';
import { randomFrom } from '../e2e/random-numbers.js';
import type { Kpageflags } from '../guest/kpageflags.js';
import type { PartialLoss } from './cases.js';

const longestRun = 200;
const expendable = Uint8Array.from(pageClasses, (entry) => (entry.expendable ? 1 : 0));

/** Ascending runs of one label each. `flags` tell which pages are folios, apart from our own reading of the memmap. */
export function partialLoss(
  map: Pick<PageMap, 'labels' | 'regions'>,
  flags: Kpageflags,
  { share, shape }: PartialLoss,
  seed: number,
): readonly LostRun[] {
  const { labels } = map;
  const random = randomFrom(seed);
  const lost = new Uint8Array(labels.length);
  let leftCount = Math.round(share * countExpendable(labels));
  const lose = (page: number): void => {
    if (leftCount > 0 && lost[page] === 0 && expendable[labels[page]] === 1) {
      lost[page] = 1;
      leftCount--;
    }
  };
  if (shape === 'folio halves') {
    loseFolioHalves(map, flags, random, lose);
  }
  while (leftCount > 0) {
    const start = Math.floor(random() * labels.length);
    const end = Math.min(start + 1 + Math.floor(random() * longestRun), labels.length);
    for (let page = start; page < end; page++) {
      lose(page);
    }
  }
  return runsOf(lost, labels);
}

function countExpendable(labels: Uint8Array): number {
  return labels.reduce((sum, label) => sum + expendable[label], 0);
}

/** The first or the second half of every folio of the page cache that has more than one page. */
function loseFolioHalves(
  { labels, regions }: Pick<PageMap, 'labels' | 'regions'>,
  flags: Kpageflags,
  random: () => number,
  lose: (page: number) => void,
): void {
  for (const { gpaStart, sizeBytes, imageOffset } of regions) {
    const firstPage = imageOffset / pageSizeBytes;
    const firstPfn = gpaStart / pageSizeBytes;
    const pageCount = sizeBytes / pageSizeBytes;
    for (let page = 0; page < pageCount; page++) {
      const isHead =
        labels[firstPage + page] === labelNumbers['file-reread'] &&
        flags.has(firstPfn + page, 'compoundHead');
      if (!isHead) {
        continue;
      }
      let end = page + 1;
      while (end < pageCount && flags.has(firstPfn + end, 'compoundTail')) {
        end++;
      }
      const middle = (page + end) >>> 1;
      const [from, to] = random() < 0.5 ? [page, middle] : [middle, end];
      for (let half = from; half < to; half++) {
        lose(firstPage + half);
      }
    }
  }
}

function runsOf(lost: Uint8Array, labels: Uint8Array): readonly LostRun[] {
  const runs: LostRun[] = [];
  for (let page = lost.indexOf(1); page >= 0;) {
    let end = page + 1;
    while (end < lost.length && lost[end] === 1 && labels[end] === labels[page]) {
      end++;
    }
    runs.push({ firstPage: page, pageCount: end - page, label: labels[page], reason: 'lost' });
    page = lost.indexOf(1, end);
  }
  return runs;
}
