// Lost pages for people and for programs: every run, with where it lies in the guest.
import type { AddressSpace, ManifestHeader } from '../manifest/types.js';
import type { LostRun } from '../restore/lost-pages.js';
import { formatTable } from './format.js';

/** A lost run as `--json` states it. */
export interface LostRunReport {
  readonly firstPage: number;
  readonly pageCount: number;
  readonly pfn: number;
  readonly label: string;
  readonly reason: string;
}

export function reportLost(
  lost: readonly LostRun[],
  header: ManifestHeader,
  space: AddressSpace,
): readonly LostRunReport[] {
  return lost.map(({ firstPage, pageCount, label, reason }) => ({
    firstPage,
    pageCount,
    pfn: pfnOf(space, firstPage),
    label: header.legend[label],
    reason,
  }));
}

export function lostTable(report: readonly LostRunReport[]): string {
  return formatTable(
    ['image pages', 'pages', 'first pfn', 'label', 'reason'],
    report.map(({ firstPage, pageCount, pfn, label, reason }) => [
      `${firstPage}-${firstPage + pageCount - 1}`,
      String(pageCount),
      `0x${pfn.toString(16)}`,
      label,
      reason,
    ]),
    ['left', 'right', 'right', 'left', 'left'],
  );
}

/** A run may cross into the next region; its first page says where it begins. */
function pfnOf(space: AddressSpace, page: number): number {
  let before = 0;
  for (const region of space.regions) {
    const pageCount = region.sizeBytes / space.pageSizeBytes;
    if (page < before + pageCount) {
      return region.start / space.pageSizeBytes + page - before;
    }
    before += pageCount;
  }
  return page;
}
