// What would have to happen for pages of a critical label to be stored once. Follows from what the label means.
import type { PageLabel } from '../../introspect/page-class.js';

const kernelsOwn = 'The kernel does not run without it, and it has no other copy.';
const ofTheDisk =
  'Where the disk of the same moment holds the same bytes, policies `disk` and `lean` move it.';

const remedies: Partial<Record<PageLabel, string>> = {
  anon:
    'Its only copy is in RAM. The guest would have to give it up (a smaller heap or buffer pool, a balloon), or swap it ' +
    'out to a disk that is stored anyway.',
  shmem: 'Its only copy is in RAM; files on a disk in place of tmpfs would move it.',
  'file-clean': ofTheDisk,
  'block-device': ofTheDisk,
  'file-dirty': 'A `sync` or `fsfreeze` in the guest right before the snapshot makes it clean.',
  slab: 'Dropping dentries and inodes in the guest (`drop_caches` 2) frees the reclaimable part of it.',
  'page-table': 'It goes with the memory that it maps.',
  'kernel-stack': 'It goes with the tasks that it belongs to.',
  'swap-cache':
    'The swap would have to be proven as files are, and to lie on a disk that is stored anyway.',
  hugetlb: 'Its only copy is in RAM; a smaller pool would free it.',
  'hugetlb-free':
    'A guest that heals without it would have to be shown; until then a smaller pool frees it.',
  'kernel-image':
    'The kernel does not run without it, and what its file on the disk holds was patched at boot.',
  reserved: `${kernelsOwn} Most of it is the memmap, 1.6 % of any RAM.`,
  other: `${kernelsOwn} It is vmalloc, modules, per-CPU data and drivers' buffers.`,
  'large-kmalloc': kernelsOwn,
  'not-ram': 'Firmware put it there: the guest may need it, and it has no other copy.',
  unknown: 'More evidence: what does not add up is critical.',
};

export function remedyFor(label: PageLabel): string {
  return remedies[label] ?? 'None is known.';
}
