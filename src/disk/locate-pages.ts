// Turns what the guest's memory says of its cached pages (introspect/heal/file-places.ts) into positions on the disks, with
// the help of each file system's own tool where memory alone does not say it.
import { type FilePlaces, isDeviceItself } from '../../introspect/heal/file-places.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { type FileQuery, findExtFiles } from './ext-files.js';
import type { GuestDisk } from './guest-disks.js';
import { ProofBudget } from './proof-budget.js';
import { findXfsFiles } from './xfs-files.js';

export interface LocatedPages {
  /** By row of the places: byte offset on the disk; -1 where it is not known. */
  readonly offsetBytes: Float64Array;
  /** By volume: index into the disks, -1 where the volume is on none of them. */
  readonly volumeDisk: Int16Array;
  /** What kept pages from being located, each a sentence. */
  readonly warnings: readonly string[];
}

const tools: Readonly<Record<string, (query: FileQuery) => Promise<string | undefined>>> = {
  ext2: findExtFiles,
  ext3: findExtFiles,
  ext4: findExtFiles,
  xfs: findXfsFiles,
};
const unknown = -1;
const warningLimit = 20;

export async function locatePages(
  places: FilePlaces,
  disks: readonly GuestDisk[],
  signal?: AbortSignal,
  budget = new ProofBudget(),
): Promise<LocatedPages> {
  const { volumes, page, file, fileVolume, pageInFile, bufferOffsetBytes } = places;
  const volumeDisk = Int16Array.from(volumes, (volume) =>
    disks.findIndex(({ name }) => name === volume.disk),
  );
  const offsetBytes = new Float64Array(page.length).fill(unknown);
  const leftCount = new Uint32Array(places.fileInode.length);
  for (let row = 0; row < page.length; row++) {
    const volume = fileVolume[file[row]];
    if (volumeDisk[volume] < 0) {
      continue;
    }
    const { startBytes } = volumes[volume];
    if (isDeviceItself(volumes[volume])) {
      offsetBytes[row] = startBytes + pageInFile[row] * pageSizeBytes;
    } else if (bufferOffsetBytes[row] >= 0) {
      offsetBytes[row] = startBytes + bufferOffsetBytes[row];
    } else {
      leftCount[file[row]]++;
    }
  }
  const rowsOf = groupByFile(places, offsetBytes, leftCount);
  const warnings = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const tool = tools[volume.fileSystem] as (typeof tools)[string] | undefined;
    const files = filesLeft(places, index, leftCount);
    if (tool === undefined || files.size === 0) {
      continue;
    }
    const { disk, fileSystem, startBytes, blockSizeBytes } = volume;
    const bound = budget.nextRun(disk);
    if (bound === undefined) {
      warnings.add(
        `pages of files on ${disk} are not held against the disk, as their places there are not known: its file systems ` +
          'have taken all the time that the tools may take',
      );
      continue;
    }
    const problem = await tool({
      image: disks[volumeDisk[index]].image,
      startBytes,
      blockSizeBytes,
      inodes: [...files.keys()],
      onFile: (inode, extents) => {
        for (const row of rowsOf(files.get(inode))) {
          const found = extents.find(pageInFile[row] * pageSizeBytes, pageSizeBytes);
          offsetBytes[row] = found === undefined ? unknown : startBytes + found;
        }
      },
      bound,
      onTook: (took) => {
        budget.add(disk, took);
      },
      signal,
    });
    if (problem !== undefined) {
      warnings.add(
        `pages of ${fileSystem} files on ${disk} are not held against the disk, as their places there are not known: ${problem}`,
      );
    }
  }
  return { offsetBytes, volumeDisk, warnings: firstOf([...warnings]) };
}

/** Rows whose place is not known yet, by file. */
function groupByFile(
  { page, file }: FilePlaces,
  offsetBytes: Float64Array,
  leftCount: Uint32Array,
): (fileRow: number | undefined) => Uint32Array {
  const end = new Uint32Array(leftCount.length);
  let total = 0;
  leftCount.forEach((count, fileRow) => {
    end[fileRow] = total;
    total += count;
  });
  const rows = new Uint32Array(total);
  for (let row = 0; row < page.length && total > 0; row++) {
    const fileRow = file[row];
    if (offsetBytes[row] < 0 && end[fileRow] < rows.length && leftCount[fileRow] > 0) {
      rows[end[fileRow]++] = row;
    }
  }
  return (fileRow) =>
    fileRow === undefined
      ? rows.subarray(0, 0)
      : rows.subarray(end[fileRow] - leftCount[fileRow], end[fileRow]);
}

/** File rows by inode: the files of the volume that have pages left to be located. */
function filesLeft(
  { fileInode, fileVolume }: FilePlaces,
  volume: number,
  leftCount: Uint32Array,
): ReadonlyMap<number, number> {
  const files = new Map<number, number>();
  leftCount.forEach((count, fileRow) => {
    if (count > 0 && fileVolume[fileRow] === volume) {
      files.set(fileInode[fileRow], fileRow);
    }
  });
  return files;
}

/** A guest may claim any number of file systems. */
function firstOf(warnings: readonly string[]): readonly string[] {
  const more = warnings.length - warningLimit;
  return more <= 0
    ? warnings
    : [...warnings.slice(0, warningLimit), `so are pages of ${more} more file systems`];
}
