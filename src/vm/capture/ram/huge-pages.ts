// A VM's RAM is write-protected while it stands still: in huge pages that takes 0.2 ms for 512 MiB, in small ones 8
// (bench/live-downtime). A background snapshot leaves small ones behind, as each page that the VM writes meanwhile is split
// off, and the kernel joins them only over minutes. So they are joined before the next snapshot, while the VM runs.
//
// Only where all of a huge page is in use: nothing may cost the host more memory than before. Calling process_madvise needs
// koffi, an optional package, and Linux 6.1; without them, or without the right to do it, the VM stands still for longer
// and all else is the same.
// (Linux Documentation/admin-guide/mm/transhuge.rst, Documentation/admin-guide/mm/pagemap.rst; madvise(2), MADV_COLLAPSE)
import { closeSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { openLibc } from '../../../host/libc.js';
import { areasOf, rangeOf } from '../memory-areas.js';

const pageSizeBytes = 4096;
const hugePageSizeBytes = 2 ** 21;
const pagesPerHugePage = hugePageSizeBytes / pageSizeBytes;
/** An entry of pagemap has 64 bits. Bit 63: present; bit 56: mapped by this process alone, which no zero page is. */
const halvesPerEntry = 2;
/** MADV_COLLAPSE of <linux/mman.h>. */
const madviseCollapse = 25;

/** In multiples of a huge page. */
export interface RamRange {
  readonly start: number;
  readonly end: number;
  /** Bytes of its memory area that are in huge pages already. */
  readonly hugeBytes: number;
}

/**
 * Joins what can be joined, and says how many bytes of the process's RAM are in small pages all the same; undefined when
 * that is not to be seen from here, or its RAM is of another kind.
 */
export async function joinHugePages(pid: number, signal: AbortSignal): Promise<number | undefined> {
  const joiner = joinerFor(pid);
  let pagemap: FileHandle | undefined;
  try {
    const ranges = await readRanges(pid);
    if (ranges.length === 0) {
      return undefined;
    }
    pagemap = await open(`/proc/${pid}/pagemap`);
    let presentCount = 0;
    for (const range of ranges) {
      for (let start = range.start; start < range.end; start += hugePageSizeBytes) {
        signal.throwIfAborted();
        const use = await readUse(pagemap, start);
        presentCount += use.presentCount;
        if (use.isWhole) {
          joiner?.join(start);
        }
      }
    }
    const inHugePages = (await readRanges(pid)).reduce((sum, { hugeBytes }) => sum + hugeBytes, 0);
    return Math.max(0, presentCount * pageSizeBytes - inHugePages);
  } catch {
    signal.throwIfAborted();
    // Not allowed, or the process has ended: whether the VM can be saved is found out elsewhere.
    return undefined;
  } finally {
    joiner?.close();
    await pagemap?.close();
  }
}

/**
 * How much of a VM's RAM is in small pages now, without joining any; undefined when that is not to be seen from here, or its RAM
 * is of another kind.
 */
export async function lookForSmallPages(
  pid: number,
  ramSizeBytes: number,
): Promise<number | undefined> {
  try {
    return inSmallPagesBytes(await readFile(`/proc/${pid}/smaps`, 'latin1'), ramSizeBytes);
  } catch {
    return undefined;
  }
}

/**
 * Bytes in small pages, of the memory for which huge pages were asked or that has no others (hugetlbfs). Undefined where
 * that memory is not all of the RAM.
 */
export function inSmallPagesBytes(smaps: string, ramSizeBytes: number): number | undefined {
  const areas = areasOf(smaps).filter((area) => /^VmFlags:.*\bh[gt]\b/m.test(area));
  const sumOf = (field: string, of: readonly string[]): number =>
    of.reduce((sum, area) => sum + bytesOf(area, field), 0);
  if (sumOf('Size', areas) < ramSizeBytes) {
    return undefined;
  }
  const mayBeSmall = areas.filter((area) => !/^VmFlags:.*\bht\b/m.test(area));
  const hugeBytes = sumOf('AnonHugePages', mayBeSmall) + sumOf('ShmemPmdMapped', mayBeSmall);
  return Math.max(0, sumOf('Rss', mayBeSmall) - hugeBytes);
}

interface Joiner {
  /** What can't be joined is left as it is. */
  readonly join: (start: number) => void;
  readonly close: () => void;
}

/** What joins the pages of 2 MiB; undefined where that can't be done. */
function joinerFor(pid: number): Joiner | undefined {
  try {
    const library = openLibc();
    if (library === undefined) {
      return undefined;
    }
    const openProcess = library.func('int pidfd_open(int pid, unsigned int flags)');
    const advise = library.func(
      'intptr_t process_madvise(int pidfd, const void *vector, size_t length, int advice, unsigned int flags)',
    );
    const pidfd = openProcess(pid, 0);
    if (pidfd < 0) {
      return undefined;
    }
    // One struct iovec.
    const vector = new BigUint64Array([0n, BigInt(hugePageSizeBytes)]);
    return {
      join: (start) => {
        vector[0] = BigInt(start);
        advise(pidfd, vector, 1, madviseCollapse, 0);
      },
      close: () => {
        closeSync(pidfd);
      },
    };
  } catch {
    return undefined;
  }
}

async function readRanges(pid: number): Promise<readonly RamRange[]> {
  return ramRanges(await readFile(`/proc/${pid}/smaps`, 'latin1'));
}

/** Private memory for which huge pages were asked, as QEMU does for a VM's RAM: the whole huge pages of it. */
export function ramRanges(smaps: string): readonly RamRange[] {
  return areasOf(smaps)
    .filter((area) => /^\S+ rw-p \S+ \S+ 0\s/.test(area) && /^VmFlags:.*\bhg\b/m.test(area))
    .map((area) => {
      const { start, end } = rangeOf(area);
      return {
        start: Math.ceil(start / hugePageSizeBytes) * hugePageSizeBytes,
        end: Math.floor(end / hugePageSizeBytes) * hugePageSizeBytes,
        hugeBytes: bytesOf(area, 'AnonHugePages'),
      };
    });
}

/** 0 where the kernel does not tell. */
function bytesOf(area: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(area)?.[1] ?? 0) * 1024;
}

interface Use {
  readonly presentCount: number;
  /** All is present, and no page of it is the zero page or shared. */
  readonly isWhole: boolean;
}

async function readUse(pagemap: FileHandle, start: number): Promise<Use> {
  const halves = new Uint32Array(pagesPerHugePage * halvesPerEntry);
  const position = (start / pageSizeBytes) * halvesPerEntry * halves.BYTES_PER_ELEMENT;
  await pagemap.read(new Uint8Array(halves.buffer), { position });
  let presentCount = 0;
  let inUseCount = 0;
  for (let upper = 1; upper < halves.length; upper += halvesPerEntry) {
    presentCount += halves[upper] >>> 31;
    inUseCount += (halves[upper] >>> 31) & (halves[upper] >>> 24) & 1;
  }
  return { presentCount, isWhole: inUseCount === pagesPerHugePage };
}
