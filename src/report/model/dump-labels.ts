// What `makedumpfile -d 31` leaves out: zero pages, cache with and without private data, pages of processes, free pages.
// (makedumpfile(8), dump_level)
import type { PageLabel } from '../../../introspect/page-class.js';

/** Labels none of whose pages are in such a dump. Poisoned pages are in none at all. */
export const leftOutOfDumps: ReadonlySet<PageLabel> = new Set<PageLabel>([
  ...(['free', 'free-pcp', 'offline', 'hwpoison'] as const),
  ...(['file-reread', 'disk-held', 'file-clean', 'file-dirty', 'block-device', 'shmem'] as const),
  ...(['anon', 'swap-cache', 'ksm', 'hugetlb', 'hugetlb-free'] as const),
  'not-ram',
]);
