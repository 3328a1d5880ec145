// The labels beside the kernel's own counters: what `classify --stats` shows, and a guard over the page cache.
//
// The counters are kept without a lock, so they may be off by the pages in motion at the moment of the snapshot; a
// difference beyond that means that the labels do not see what the kernel sees.
import type { Kernel } from '../kernel/kernel.js';
import { nodeCounters } from '../mm/zones/node-counters.js';
import { labelNumbers, type PageLabel } from '../page-class.js';

export interface CounterComparison {
  /** The kernel's name for it, as in /proc/vmstat but upper-case. */
  readonly counter: string;
  readonly kernelPageCount: number;
  /** Pages with one of `labels`. */
  readonly foundPageCount: number;
  readonly labels: readonly PageLabel[];
  /** Whether a large difference means that clean file cache cannot be told. */
  readonly guardsCache: boolean;
}

const cacheOfFiles = ['file-reread', 'file-clean', 'file-dirty', 'block-device'] as const;

/** Counters whose pages the labels tell apart. Those that a kernel lacks are left out. */
const comparable: readonly {
  readonly counters: readonly string[];
  readonly labels: readonly PageLabel[];
  readonly guardsCache: boolean;
}[] = [
  {
    counters: ['NR_FILE_PAGES'],
    labels: [...cacheOfFiles, 'shmem', 'swap-cache'],
    guardsCache: true,
  },
  // The label holds ramfs besides, which the kernel counts nowhere.
  { counters: ['NR_SHMEM'], labels: ['shmem'], guardsCache: false },
  { counters: ['NR_ANON_MAPPED'], labels: ['anon', 'ksm', 'swap-cache'], guardsCache: false },
  { counters: ['NR_SWAPCACHE'], labels: ['swap-cache'], guardsCache: false },
  // Whatever the reclaim lists hold, wherever it stands on them.
  {
    counters: [
      ...['NR_INACTIVE_ANON', 'NR_ACTIVE_ANON', 'NR_INACTIVE_FILE', 'NR_ACTIVE_FILE'],
      ...['NR_UNEVICTABLE', 'NR_ISOLATED_ANON', 'NR_ISOLATED_FILE'],
    ],
    labels: [...cacheOfFiles, 'shmem', 'anon', 'swap-cache', 'ksm'],
    guardsCache: true,
  },
  {
    counters: ['NR_SLAB_RECLAIMABLE_B', 'NR_SLAB_UNRECLAIMABLE_B'],
    labels: ['slab', 'large-kmalloc'],
    guardsCache: false,
  },
];

export function compareCounters(kernel: Kernel, labels: Uint8Array): readonly CounterComparison[] {
  const stated = nodeCounters(kernel);
  const found = countLabels(labels);
  return comparable.flatMap((entry) => {
    const known = entry.counters.filter((name) => stated.has(name));
    return known.length === 0
      ? []
      : [
          {
            counter: known.join(' + '),
            kernelPageCount: known.reduce((sum, name) => sum + (stated.get(name) ?? 0), 0),
            foundPageCount: entry.labels.reduce(
              (sum, label) => sum + found[labelNumbers[label]],
              0,
            ),
            labels: entry.labels,
            guardsCache: entry.guardsCache,
          },
        ];
  });
}

/** Index: label number. */
export function countLabels(labels: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  // Run by run: alike pages lie together, and one counter increased page after page waits for itself.
  for (let start = 0; start < labels.length;) {
    const label = labels[start];
    let end = start + 1;
    while (end < labels.length && labels[end] === label) {
      end++;
    }
    counts[label] += end - start;
    start = end;
  }
  return counts;
}
