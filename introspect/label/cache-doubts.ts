// The guard over the page cache: cache that the kernel counts and cache that is found must be the same, but for pages in
// motion: a few that each CPU has in hand, and those of huge pages that are just put together (mm/cache/collapses.ts).
import type { Kernel } from '../kernel/kernel.js';
import { type Collapse, findCollapses, hugePageCount } from '../mm/cache/collapses.js';
import type { Memmap } from '../mm/memmap.js';
import { possibleCpus } from '../mm/per-cpu.js';
import { labelNumbers } from '../page-class.js';
import { compareCounters, type CounterComparison } from './counters.js';

/** Pages that each CPU may have in hand, in no list and no counter yet: a few batches of 31 (PAGEVEC_SIZE). */
const pagesInMotionPerCpu = 128;
/** How far the cache that is found may be from what the kernel counts, besides. */
const cacheTolerance = 0.002;

/** By how many pages what is found may be above what is counted, at least and at most. */
interface Excess {
  readonly least: number;
  readonly most: number;
}

const noExcess: Excess = { least: 0, most: 0 };

/** One sentence for each counter that does not agree. `labels`: one per page of the image. Throws Inconsistency. */
export function cacheDoubts(kernel: Kernel, memmap: Memmap, labels: Uint8Array): readonly string[] {
  const inMotion = possibleCpus(kernel).length * pagesInMotionPerCpu;
  const guards = compareCounters(kernel, labels).filter(({ guardsCache }) => guardsCache);
  const disagree = (
    { kernelPageCount, foundPageCount }: CounterComparison,
    { least, most }: Excess,
  ): boolean => {
    const tolerance = inMotion + kernelPageCount * cacheTolerance;
    const excess = foundPageCount - kernelPageCount;
    return excess < least - tolerance || excess > most + tolerance;
  };
  if (!guards.some((guard) => disagree(guard, noExcess))) {
    return [];
  }
  const collapses = findCollapses(kernel, memmap, labels);
  return guards
    .filter((guard) => disagree(guard, excessOf(guard, collapses)))
    .map(
      ({ counter, kernelPageCount, foundPageCount }) =>
        `clean file cache, as the kernel counts ${kernelPageCount} pages by ${counter} and the memmap shows ${foundPageCount}`,
    );
}

function excessOf(guard: CounterComparison, collapses: readonly Collapse[]): Excess {
  const labels = new Set(guard.labels.map((label) => labelNumbers[label]));
  return collapses.reduce<Excess>((sum, collapse) => {
    const { hugeLabel, replacedCounts } = collapse;
    const found =
      (labels.has(hugeLabel) ? hugePageCount : 0) +
      [...replacedCounts].reduce(
        (pages, [label, count]) => pages + (labels.has(label) ? count : 0),
        0,
      );
    const counted =
      guard.counter === 'NR_FILE_PAGES' ? countedInFile(collapse) : countedOnLists(collapse);
    return { least: sum.least + found - counted.most, most: sum.most + found - counted.least };
  }, noExcess);
}

/**
 * Before the huge page is in the file the pages that it replaces count, and holes in the file become its own. Then it counts,
 * and those beside it until they are let go of, or not any more: kernels differ.
 */
function countedInFile({ isListed, mayBeInFile, replacedCounts }: Collapse): Excess {
  const replaced = [...replacedCounts.values()].reduce((sum, count) => sum + count, 0);
  return {
    least: isListed ? hugePageCount : replaced,
    most: replaced + (mayBeInFile ? hugePageCount : 0),
  };
}

function countedOnLists({ isListed }: Collapse): Excess {
  const count = isListed ? hugePageCount : 0;
  return { least: count, most: count };
}
