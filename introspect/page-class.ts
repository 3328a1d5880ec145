// The closed set of page labels. A label file and a manifest hold the numbers, so numbers are never reused or changed.
//
// `expendable` is a promise: a guest whose pages of this class are lost can be made to run on (by zeroes for free
// pages, by reading again from its disk for clean cache). Everything else is critical, and so is every doubt.

export interface PageClass {
  readonly number: number;
  readonly label: string;
  readonly expendable: boolean;
  /** What the page is, and what its loss means. One line each. */
  readonly meaning: string;
  readonly loss: string;
}

function pageClass<const L extends string>(
  number: number,
  label: L,
  expendable: boolean,
  meaning: string,
  loss: string,
) {
  return { number, label, expendable, meaning, loss } as const;
}

/** Every class, indexed by its number. */
export const pageClasses = [
  pageClass(0, 'unknown', false, 'no evidence, or evidence that does not add up', 'unknown'),
  pageClass(
    1,
    'not-ram',
    false,
    'in the image, but the kernel has no RAM there (firmware, ACPI)',
    'the guest may crash',
  ),
  pageClass(
    2,
    'free',
    true,
    'in the buddy allocator',
    'none: the kernel expects nothing of its content',
  ),
  pageClass(
    3,
    'free-pcp',
    true,
    "on a CPU's own free list",
    'none: the kernel expects nothing of its content',
  ),
  pageClass(
    4,
    'file-reread',
    true,
    'clean cache of a regular file on a disk, unmapped and unpinned',
    'none once the guest reads it again',
  ),
  pageClass(
    5,
    'file-clean',
    false,
    'other clean file cache: mapped, pinned, with buffers, or not on a disk',
    'programs read wrong bytes',
  ),
  pageClass(
    6,
    'file-dirty',
    false,
    'file cache that is dirty, locked or under writeback',
    'written data is gone',
  ),
  pageClass(7, 'anon', false, 'anonymous memory of processes', 'programs crash'),
  pageClass(
    8,
    'shmem',
    false,
    'tmpfs, ramfs, shared memory, memfd, secret memory: files without a disk',
    'the only copy is gone',
  ),
  pageClass(9, 'slab', false, 'kernel objects', 'the guest crashes'),
  pageClass(
    10,
    'page-table',
    false,
    'page tables of the kernel and of processes',
    'the guest crashes',
  ),
  pageClass(11, 'kernel-stack', false, 'stacks of tasks', 'the guest crashes'),
  pageClass(12, 'kernel-image', false, "the kernel's own text and data", 'the guest crashes'),
  pageClass(
    13,
    'reserved',
    false,
    'reserved at boot: the memmap, early allocations',
    'the guest crashes',
  ),
  pageClass(
    14,
    'other',
    false,
    'in use without a mark: vmalloc, modules, per-CPU data, drivers',
    'the guest crashes',
  ),
  pageClass(
    15,
    'offline',
    true,
    'given back to the host: inflated balloon, unplugged memory',
    'none: the kernel expects nothing of its content',
  ),
  pageClass(16, 'hugetlb', false, 'huge pages (hugetlbfs) in use', 'programs crash'),
  pageClass(
    17,
    'hugetlb-free',
    false,
    'huge pages (hugetlbfs) waiting in the pool',
    'none is known: kept, as no guest has proven it',
  ),
  pageClass(
    18,
    'swap-cache',
    false,
    'anonymous memory that also has a place in swap',
    'programs crash: the swap may be memory too (zram, zswap), or be released',
  ),
  pageClass(19, 'ksm', false, 'anonymous memory merged by KSM', 'several programs crash'),
  pageClass(
    20,
    'zsmalloc',
    false,
    'compressed memory: zram disks and zswap',
    "programs' memory is gone",
  ),
  pageClass(21, 'large-kmalloc', false, 'large kernel allocations', 'the guest crashes'),
  pageClass(
    22,
    'block-device',
    false,
    'cache of a block device: file-system metadata, journalled blocks',
    'the file system is damaged: the journal may hold newer bytes than the disk',
  ),
  pageClass(23, 'device', false, 'memory of a device (DAX, pmem, GPU)', 'its data is gone'),
  pageClass(24, 'page-pool', false, "a network driver's receive buffers", 'packets are garbled'),
  pageClass(25, 'hwpoison', false, 'broken in hardware, no longer used', 'none is known'),
  pageClass(
    26,
    'disk-held',
    true,
    "cache whose bytes were found on the VM's disk when the snapshot was taken",
    'none once the same bytes are put back from a disk image of that moment',
  ),
  pageClass(
    27,
    'disk',
    false,
    'a block of a disk image stored with the memory',
    'written data is gone',
  ),
] as const;

export type PageLabel = (typeof pageClasses)[number]['label'];

/** Label to number, for code that labels pages. */
export const labelNumbers = Object.fromEntries(
  pageClasses.map((entry) => [entry.label, entry.number]),
) as Readonly<Record<PageLabel, number>>;
