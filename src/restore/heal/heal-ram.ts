// Heals the lost pages of a RAM file that a restore has written, in place: what introspect/heal/heal.ts says, and pages that a
// disk image holds. Lost pages are holes in the file before, which is to say zero.
import { writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import {
  addRefused,
  type FlagEdits,
  planReread,
  type RefusedRun,
} from '../../../introspect/heal/heal.js';
import { ImageView } from '../../../introspect/memory/image-view.js';
import { type MemoryRegion, pageSizeBytes } from '../../../introspect/memory/physical-memory.js';
import { readFully } from '../../../introspect/memory/read-fully.js';
import type { GuestDisk } from '../../disk/guest-disks.js';
import { readHeldPages } from '../../disk/read-held-pages.js';
import { diskError } from '../../host/disk-error.js';
import type { HealingOutlook, UnhealedRun } from '../../loss/healing-outlook.js';
import { lostPageCount, type LostRun } from '../../loss/lost-pages.js';
import type { RamSpace } from '../../manifest/types.js';
import type { Healing } from './healing.js';

export interface HealRequest {
  readonly ramPath: string;
  readonly space: Pick<RamSpace, 'regions' | 'healing' | 'diskHeld'>;
  readonly outlook: HealingOutlook;
  /** Disk images of the snapshot's moment. */
  readonly disks: readonly GuestDisk[];
  readonly signal?: AbortSignal | undefined;
}

const fillSizeBytes = 2 ** 20;
/** So many pages are changed before a Ctrl-C is looked for. */
const pagesAtOnce = 256;

/** Throws as disks do; the file is then half healed, and must not be used. */
export async function healRam(request: HealRequest): Promise<Healing> {
  const { ramPath, outlook } = request;
  const file = await open(ramPath, 'r+').catch((error: unknown) => {
    throw diskError(error, `cannot open ${ramPath} to heal it`);
  });
  try {
    await fillPages(file, request);
    const reread = await rereadPages(file, request);
    const notReread = unhealedOf(outlook.rereading, reread.refused);
    const notPutBack = unhealedOf(outlook.disk, await putBackPages(file, request));
    return {
      filledPageCount: lostPageCount(outlook.filling),
      rereadPageCount: lostPageCount(outlook.rereading) - lostPageCount(notReread),
      rereadFolioCount: reread.folioCount,
      putBackPageCount: lostPageCount(outlook.disk) - lostPageCount(notPutBack),
      unhealed: [...outlook.none, ...notReread, ...notPutBack].sort(
        (a, b) => a.firstPage - b.firstPage,
      ),
    };
  } finally {
    await file.close();
  }
}

/** Zeroes are there already. */
async function fillPages(
  file: FileHandle,
  { ramPath, space, outlook, signal }: HealRequest,
): Promise<void> {
  const byte = space.healing?.freeByte ?? 0;
  if (byte === 0) {
    return;
  }
  const pattern = Buffer.alloc(fillSizeBytes, byte);
  for (const { firstPage, pageCount } of outlook.filling) {
    const end = (firstPage + pageCount) * pageSizeBytes;
    for (let at = firstPage * pageSizeBytes; at < end; at += fillSizeBytes) {
      signal?.throwIfAborted();
      await file
        .write(pattern, 0, Math.min(fillSizeBytes, end - at), at)
        .catch((error: unknown) => {
          throw diskError(error, `cannot write ${ramPath}`);
        });
    }
  }
}

async function rereadPages(
  file: FileHandle,
  { ramPath, space, outlook, signal }: HealRequest,
): Promise<{ folioCount: number; refused: readonly RefusedRun[] }> {
  if (space.healing === undefined || outlook.rereading.length === 0) {
    return { folioCount: 0, refused: [] };
  }
  const plan = planReread(space.healing, viewOf(file, ramPath, space), outlook.rereading);
  await writeFlags(file, ramPath, plan.edits, signal);
  return { folioCount: plan.folioCount, refused: plan.refused };
}

/** Page by page: struct pages lie together, and a write for each byte would take longer than all the rest. */
async function writeFlags(
  file: FileHandle,
  ramPath: string,
  { imageOffset, value }: FlagEdits,
  signal: AbortSignal | undefined,
): Promise<void> {
  const page = Buffer.alloc(pageSizeBytes);
  let writtenCount = 0;
  for (let edit = 0; edit < value.length;) {
    if (writtenCount++ % pagesAtOnce === 0) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    const start = imageOffset[edit] - (imageOffset[edit] % pageSizeBytes);
    readFully(file.fd, start, page, ramPath);
    // In the order of the pages that are lost, which need not be that of their struct pages.
    const isInPage = (offset: number): boolean => offset >= start && offset < start + pageSizeBytes;
    for (; edit < value.length && isInPage(imageOffset[edit]); edit++) {
      page[imageOffset[edit] - start] = value[edit];
    }
    writePage(file, ramPath, page, start);
  }
}

function writePage(file: FileHandle, ramPath: string, page: Uint8Array, offset: number): void {
  try {
    writeSync(file.fd, page, 0, page.length, offset);
  } catch (error) {
    throw diskError(error, `cannot write ${ramPath}`);
  }
}

/** The pages that no given disk holds any more. */
async function putBackPages(
  file: FileHandle,
  { ramPath, space, outlook, disks, signal }: HealRequest,
): Promise<readonly RefusedRun[]> {
  if (space.diskHeld === undefined || outlook.disk.length === 0) {
    return outlook.disk.map((run) => ({ ...run, reason: 'the snapshot names no disk for them' }));
  }
  const missing = await readHeldPages({
    disks,
    held: space.diskHeld,
    wantedPages: pagesOf(outlook.disk),
    onPage: (page, bytes) => {
      writePage(file, ramPath, bytes, page * pageSizeBytes);
    },
    signal,
  });
  const refused: RefusedRun[] = [];
  for (const page of missing) {
    addRefused(refused, page, 'no disk image that was given holds the bytes that they had');
  }
  return refused;
}

function pagesOf(runs: readonly LostRun[]): Uint32Array {
  const pages = new Uint32Array(lostPageCount(runs));
  let at = 0;
  for (const { firstPage, pageCount } of runs) {
    for (let page = firstPage; page < firstPage + pageCount; page++) {
      pages[at++] = page;
    }
  }
  return pages;
}

function viewOf(file: FileHandle, path: string, space: HealRequest['space']): ImageView {
  let imageOffset = 0;
  const regions: readonly MemoryRegion[] = space.regions.map(({ start, sizeBytes }) => {
    const region = { gpaStart: start, sizeBytes, imageOffset };
    imageOffset += sizeBytes;
    return region;
  });
  return new ImageView(regions, (offset, target) => {
    readFully(file.fd, offset, target, path);
  });
}

/** What was refused of the lost runs, with label and reason of the loss. Both ascend. */
function unhealedOf(
  lost: readonly LostRun[],
  refused: readonly RefusedRun[],
): readonly UnhealedRun[] {
  const unhealed: UnhealedRun[] = [];
  let at = 0;
  for (const { firstPage, pageCount, reason: why } of refused) {
    const end = firstPage + pageCount;
    while (at < lost.length && lost[at].firstPage + lost[at].pageCount <= firstPage) {
      at++;
    }
    for (let run = at; run < lost.length && lost[run].firstPage < end; run++) {
      const from = Math.max(firstPage, lost[run].firstPage);
      const to = Math.min(end, lost[run].firstPage + lost[run].pageCount);
      unhealed.push({ ...lost[run], firstPage: from, pageCount: to - from, why });
    }
  }
  return unhealed;
}
