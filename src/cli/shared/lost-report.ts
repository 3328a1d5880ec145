// Lost pages for people and for programs: every run, with where it lies in the guest, in RAM or on a disk.
import type { LostRun } from '../../loss/lost-pages.js';
import type { DiskLoss } from '../../loss/snapshot-loss.js';
import { disksOf, ramOf } from '../../manifest/space/spaces.js';
import type { AddressSpace, Manifest } from '../../manifest/types.js';
import { formatTable } from './format.js';

/** A lost run as `--json` states it. */
export interface LostRunReport {
  /** `ram`, or `disk-NAME`. */
  readonly space: string;
  readonly firstPage: number;
  readonly pageCount: number;
  /** The page frame number in the guest. On a disk, whose pages are counted from its beginning, it equals `firstPage`. */
  readonly pfn: number;
  readonly label: string;
  readonly reason: string;
}

/** Every lost run of one space, RAM unless another is given. */
export function reportLost(
  lost: readonly LostRun[],
  manifest: Manifest,
  space: AddressSpace | undefined = ramOf(manifest),
): readonly LostRunReport[] {
  return lost.flatMap(({ firstPage, pageCount, label, reason }) =>
    space === undefined
      ? []
      : [
          {
            space: space.name,
            firstPage,
            pageCount,
            pfn: pfnOf(space, firstPage),
            label: manifest.header.legend[label],
            reason,
          },
        ],
  );
}

export function reportLostOnDisks(
  losses: readonly DiskLoss[],
  manifest: Manifest,
): readonly LostRunReport[] {
  return losses.flatMap(({ name, lost }) =>
    reportLost(
      lost,
      manifest,
      disksOf(manifest).find(({ disk }) => disk.name === name),
    ),
  );
}

/** RAM alone need not be named. */
export function lostTable(report: readonly LostRunReport[]): readonly string[] {
  const isNamed = report.some(({ space }) => space !== 'ram');
  return formatTable(
    [...(isNamed ? ['space'] : []), 'image pages', 'pages', 'first pfn', 'label', 'reason'],
    report.map(({ space, firstPage, pageCount, pfn, label, reason }) => [
      ...(isNamed ? [space] : []),
      `${firstPage}-${firstPage + pageCount - 1}`,
      String(pageCount),
      `0x${pfn.toString(16)}`,
      label,
      reason,
    ]),
    [...(isNamed ? (['left'] as const) : []), 'left', 'right', 'right', 'left', 'left'],
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
