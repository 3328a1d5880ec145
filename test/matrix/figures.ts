// How well a guest's labels agree with its kernel's own word, in numbers, and what is demanded of them.
import type { PageMap } from '../../introspect/label/page-map.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { labelNumbers, pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { type FlagClass, flagClassOf } from './flag-class.js';
import type { KernelCounters } from './kernel-counters.js';
import { agreement, anyOf, type FlagTest, type PageStates } from './page-truth.js';

/** What no expendable page may be. */
const forbidden: Readonly<Record<string, FlagTest>> = {
  dirty: anyOf('dirty'),
  anonymous: anyOf('anon'),
  slab: anyOf('slab'),
  'page table': anyOf('pageTable'),
  locked: anyOf('locked'),
  writeback: anyOf('writeback'),
  'mlocked or unevictable': anyOf('mlocked', 'unevictable'),
  'swap-backed': anyOf('swapbacked', 'swapcache'),
  mapped: (states, pfn) => states.mapped[pfn] === 1,
  reserved: anyOf('reserved', 'noPage'),
  hugetlb: anyOf('huge'),
  ksm: anyOf('ksm'),
  'with private data': anyOf('private', 'privateTwo'),
};

/** What flags a label goes with. Labels without a line go with any that are no page of a file or of a process. */
const flagClassesOf: Partial<Record<PageLabel, readonly FlagClass[]>> = {
  free: ['buddy'],
  // The two kinds of free pages turn into each other at any time.
  'free-pcp': ['none', 'buddy'],
  offline: ['offline'],
  'file-reread': ['file-droppable'],
  'file-clean': ['file-droppable', 'file-kept', 'other'],
  'file-dirty': ['file-dirty', 'other'],
  'block-device': ['file-droppable', 'file-kept', 'file-dirty', 'other'],
  // ramfs has no swap, so only the label knows that nothing stands behind it.
  shmem: ['shmem', 'swap-cache', 'file-dirty', 'file-kept', 'other'],
  anon: ['anon'],
  'swap-cache': ['swap-cache'],
  // The latter where flags don't tell merged pages.
  ksm: ['ksm', 'anon'],
  slab: ['slab'],
  reserved: ['reserved'],
  'not-ram': ['no-page', 'reserved', 'none'],
  hugetlb: ['huge'],
  'hugetlb-free': ['huge'],
};
const kernelFlagClasses: readonly FlagClass[] = ['none', 'other', 'reserved', 'page-table'];

export interface LabelFigures {
  readonly pageCount: number;
  /** How many pages both readings agree on, by what the flags say. */
  readonly agreed: Readonly<Partial<Record<FlagClass, number>>>;
  /** Pages that both readings agree on and whose flags say that the label is wrong. */
  readonly contradictedCount: number;
  /** Pages that both readings agree on and show free: taken and given back between them, if there are few. */
  readonly freeAtReadingsCount: number;
}

export interface Figures {
  readonly evidence: string;
  readonly warnings: readonly string[];
  readonly pageCount: number;
  /** Pages that the two readings disagree on, which is to say that nobody knows what they were. */
  readonly leftOutCount: number;
  /** Expendable pages that must not be, by what the kernel calls them. */
  readonly wrong: Readonly<Record<string, number>>;
  /** How many pages that is, as one page may be wrong in several ways. */
  readonly wrongCount: number;
  readonly free: { readonly foundCount: number; readonly countedCount: number };
  readonly saving: {
    readonly expendableCount: number;
    readonly ideal: {
      readonly buddyCount: number;
      readonly perCpuCount: number;
      readonly droppableCount: number;
    };
  };
  readonly labels: Readonly<Partial<Record<PageLabel, LabelFigures>>>;
}

export interface Evidence {
  readonly map: PageMap;
  readonly before: PageStates;
  /** The readings of one or more copies, each resumed from the same snapshot. */
  readonly after: readonly PageStates[];
  readonly counters: KernelCounters;
}

/**
 * The figures of one snapshot.
 *
 * A page counts as one that both readings agree on when every copy's reading agrees with the first: what happened to
 * a page in one copy by chance does not happen in all.
 */
export function figuresOf({ map, before, after, counters }: Evidence): Figures {
  const agreements = after.map((states) => agreement(before, states));
  const wrong = Object.fromEntries(Object.keys(forbidden).map((name) => [name, 0]));
  const labels: Partial<Record<PageLabel, MutableLabelFigures>> = {};
  const counts = { leftOut: 0, wrong: 0, expendable: 0, buddy: 0, droppable: 0 };
  for (const { gpaStart, sizeBytes, imageOffset } of map.regions) {
    const firstPfn = gpaStart / pageSizeBytes;
    const firstPage = imageOffset / pageSizeBytes;
    for (let page = 0; page < sizeBytes / pageSizeBytes; page++) {
      const pfn = firstPfn + page;
      const { label, expendable } = pageClasses[map.labels[firstPage + page]];
      const figures = (labels[label] ??= newLabelFigures());
      figures.pageCount++;
      if (expendable) {
        counts.expendable++;
      }
      if (pfn >= before.pfnCount) {
        continue;
      }
      const flagClass = flagClassOf(before, pfn);
      if (flagClass === 'buddy') {
        counts.buddy++;
      }
      if (flagClass === 'file-droppable') {
        counts.droppable++;
      }
      if (agreements.some((agreed) => agreed[pfn] === 0)) {
        counts.leftOut++;
        continue;
      }
      addAgreed(figures, label, flagClass);
      if (expendable) {
        const ways = Object.keys(forbidden).filter((name) => forbidden[name](before, pfn));
        for (const name of ways) {
          wrong[name]++;
        }
        if (ways.length > 0) {
          counts.wrong++;
        }
      }
    }
  }
  return {
    evidence:
      map.evidence.kind === 'complete'
        ? 'complete'
        : `${map.evidence.kind}: ${map.evidence.reason}`,
    warnings: map.warnings,
    pageCount: map.labels.length,
    leftOutCount: counts.leftOut,
    wrong,
    wrongCount: counts.wrong,
    free: {
      foundCount: (labels.free?.pageCount ?? 0) + (labels['free-pcp']?.pageCount ?? 0),
      countedCount: counters.buddyPageCount + counters.perCpuPageCount,
    },
    saving: {
      expendableCount: counts.expendable,
      ideal: {
        buddyCount: counts.buddy,
        perCpuCount: counters.perCpuPageCount,
        droppableCount: counts.droppable,
      },
    },
    labels,
  };
}

interface MutableLabelFigures {
  pageCount: number;
  agreed: Partial<Record<FlagClass, number>>;
  contradictedCount: number;
  freeAtReadingsCount: number;
}

function newLabelFigures(): MutableLabelFigures {
  return { pageCount: 0, agreed: {}, contradictedCount: 0, freeAtReadingsCount: 0 };
}

function addAgreed(figures: MutableLabelFigures, label: PageLabel, flagClass: FlagClass): void {
  figures.agreed[flagClass] = (figures.agreed[flagClass] ?? 0) + 1;
  if (label === 'unknown' || (flagClassesOf[label] ?? kernelFlagClasses).includes(flagClass)) {
    return;
  }
  const isExpendable = pageClasses[labelNumbers[label]].expendable;
  if (!isExpendable && (flagClass === 'none' || flagClass === 'buddy')) {
    figures.freeAtReadingsCount++;
  } else {
    figures.contradictedCount++;
  }
}

/** What is demanded of a guest's labels, beside that none is wrong. */
export interface Demands {
  readonly evidence: RegExp;
  /** Whether pages on the CPUs' lists count among the free ones that must be found. */
  readonly findsPerCpuLists: boolean;
  /** The least part of `savingByIdeal` that must be reached. */
  readonly savingFractionMin: number;
}

export const allPagesKnown: Demands = {
  evidence: /^complete$/,
  findsPerCpuLists: true,
  savingFractionMin: 0.99,
};

/**
 * What is demanded of a kernel without BTF: no page of the cache is known, nor those on the CPUs' lists. What it saves is
 * for the table.
 */
export const freePagesKnown: Demands = {
  evidence: /^partial: all but free pages, as the kernel carries no BTF [^;]*$/,
  findsPerCpuLists: false,
  savingFractionMin: 0,
};

const leftOutFractionMax = 0.01;
const freeFoundFractionMin = 0.995;
/** Pages on CPUs' lists have no flag to be checked by, only their number. */
const freeFoundFractionMax = 1.005;
const freeAtReadingsCountMax = 100;

export function freeFoundFraction({ free }: Figures): number {
  return free.foundCount / free.countedCount;
}

/**
 * What storing critical pages three times and expendable ones once saves, by what it would save if every page were
 * expendable that the kernel's flags allow. Of N pages with E expendable ones a share of 2E / 3N is saved, so this is
 * the one E by the other.
 *
 * The ideal E is: pages in the buddy allocator, by their flag; pages on the CPUs' free lists, by zoneinfo; and pages of
 * the page cache that are on a list of the LRU and up to date, and none of dirty, locked, under writeback, swap-backed,
 * mapped, mlocked, unevictable, in error, or with private data. It is too high, and so the demand a little harder than
 * it looks, by such pages that no disk path leads to (a file system's own, deleted files): flags don't tell those.
 */
export function savingByIdeal({ saving }: Figures): number {
  const { buddyCount, perCpuCount, droppableCount } = saving.ideal;
  return saving.expendableCount / (buddyCount + perCpuCount + droppableCount);
}

/** What the figures fall short in, each a sentence; none is what every guest must come to. */
export function shortcomings(
  figures: Figures,
  { evidence, findsPerCpuLists, savingFractionMin }: Demands = allPagesKnown,
): readonly string[] {
  const found: string[] = [];
  if (!evidence.test(figures.evidence)) {
    found.push(`the labels are not trusted: ${figures.evidence}`);
  }
  const leftOutFraction = figures.leftOutCount / figures.pageCount;
  if (leftOutFraction >= leftOutFractionMax) {
    found.push(`the readings disagree on ${percent(leftOutFraction)} of the pages`);
  }
  for (const [name, count] of Object.entries(figures.wrong)) {
    if (count > 0) {
      found.push(`${count} expendable pages are ${name}`);
    }
  }
  for (const [label, { contradictedCount, freeAtReadingsCount, agreed }] of Object.entries(
    figures.labels,
  )) {
    const flags = JSON.stringify(agreed);
    if (contradictedCount > 0) {
      found.push(`${contradictedCount} pages labelled ${label} have other flags: ${flags}`);
    }
    if (freeAtReadingsCount >= freeAtReadingsCountMax) {
      found.push(`${freeAtReadingsCount} pages labelled ${label} are free to the kernel: ${flags}`);
    }
  }
  const { foundCount, countedCount } = figures.free;
  const { perCpuCount } = figures.saving.ideal;
  const freeFound = foundCount / (findsPerCpuLists ? countedCount : countedCount - perCpuCount);
  if (freeFound < freeFoundFractionMin) {
    found.push(`only ${percent(freeFound)} of the free pages are found`);
  }
  if (freeFound > freeFoundFractionMax) {
    found.push(`${percent(freeFound)} of the free pages are found`);
  }
  if (savingByIdeal(figures) < savingFractionMin) {
    found.push(`only ${percent(savingByIdeal(figures))} of the ideal saving is reached`);
  }
  return found;
}

export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
