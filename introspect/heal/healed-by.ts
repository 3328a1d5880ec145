// How a lost page of each label is healed: the one table of it. Who heals, foretells or describes asks here.
import { pageClasses, type PageLabel } from '../page-class.js';

/**
 * `filling`: the page gets what the kernel expects of one that nobody uses (mm/free/free-content.ts). `rereading`: the
 * kernel is made to read it again from its disk (heal.ts). `disk`: its bytes are put back from a disk image of the
 * snapshot's moment.
 */
export const healingWays = ['filling', 'rereading', 'disk'] as const;
export type HealingWay = (typeof healingWays)[number];

/** `none`: nothing but the page itself is of use. */
export const healedBy: Readonly<Record<PageLabel, HealingWay | 'none'>> = {
  unknown: 'none',
  'not-ram': 'none',
  free: 'filling',
  'free-pcp': 'filling',
  'file-reread': 'rereading',
  'file-clean': 'none',
  'file-dirty': 'none',
  anon: 'none',
  shmem: 'none',
  slab: 'none',
  'page-table': 'none',
  'kernel-stack': 'none',
  'kernel-image': 'none',
  reserved: 'none',
  other: 'none',
  offline: 'filling',
  hugetlb: 'none',
  'hugetlb-free': 'none',
  'swap-cache': 'none',
  ksm: 'none',
  zsmalloc: 'none',
  'large-kmalloc': 'none',
  'block-device': 'none',
  device: 'none',
  'page-pool': 'none',
  hwpoison: 'none',
  'disk-held': 'disk',
  disk: 'none',
};

/** How a lost page of a label is healed. A label that this program does not know, as a newer one may have written it, is healed by nothing. */
export function healingWayOf(label: string): HealingWay | 'none' {
  return isLabel(label) ? healedBy[label] : 'none';
}

/** For each label number 1 if its pages are healed that way, else 0. */
export function isHealedBy(way: HealingWay): Uint8Array {
  return Uint8Array.from(pageClasses, ({ label }) => (healedBy[label] === way ? 1 : 0));
}

function isLabel(label: string): label is PageLabel {
  return Object.hasOwn(healedBy, label);
}
