// The disks of a snapshot as a restore writes them: DIR/disk-NAME.img, raw and sparse.
import { join } from 'node:path';
import { isDiskSpace } from '../manifest/disk-space.js';
import type { Manifest, StoredDisk } from '../manifest/types.js';
import { createPart, partOf } from './part-file.js';
import { framesOfPacks, type LostPacks, type LostRun, lostRuns } from './lost-pages.js';
import { writeSpace, type WriteSpaceRequest } from './write-space.js';

export interface RestoredDisk {
  readonly name: string;
  readonly path: string;
  /** Where the VM had it, and as what; the restored file is raw. */
  readonly sourcePath: string;
  readonly sourceFormat: string;
  /** True where the VM's own image is encrypted: what is stored is not. */
  readonly wasEncrypted?: true | undefined;
}

/** Blocks of a disk that are gone: nothing heals them. */
export interface DiskLoss {
  readonly name: string;
  /** By page of the disk. */
  readonly lost: readonly LostRun[];
}

/** A disk to be restored. */
export interface DiskTarget {
  readonly spaceIndex: number;
  readonly disk: StoredDisk;
  readonly path: string;
}

export function diskTargets({ spaces }: Manifest, folder: string): readonly DiskTarget[] {
  return spaces.flatMap((space, spaceIndex) =>
    isDiskSpace(space)
      ? [{ spaceIndex, disk: space.disk, path: join(folder, `${space.name}.img`) }]
      : [],
  );
}

export function restoredDisk({ disk, path }: DiskTarget): RestoredDisk {
  const { name, sourcePath, sourceFormat, wasEncrypted } = disk;
  return { name, path, sourcePath, sourceFormat, wasEncrypted };
}

/** What is known to be lost before anything is read. Disks that lose nothing are left out. */
export function foreseenDiskLosses(
  manifest: Manifest,
  targets: readonly DiskTarget[],
  lostPacks: LostPacks,
): readonly DiskLoss[] {
  return targets.flatMap(({ spaceIndex, disk }) => {
    const space = manifest.spaces[spaceIndex];
    return lossOf(disk.name, lostRuns(space, framesOfPacks(space, lostPacks)));
  });
}

/** Writes the disks under the names of their parts, of which `onPart` is told. What it could not read is a hole. */
export async function writeDisks(
  request: Omit<WriteSpaceRequest, 'spaceIndex' | 'file' | 'path' | 'sizeBytes' | 'phase'>,
  targets: readonly DiskTarget[],
  onPart: (path: string) => void,
): Promise<readonly DiskLoss[]> {
  const losses: DiskLoss[] = [];
  for (const { spaceIndex, disk, path } of targets) {
    const part = partOf(path);
    const file = await createPart(part);
    try {
      onPart(part);
      const lostFrames = await writeSpace({
        ...request,
        spaceIndex,
        file,
        path: part,
        sizeBytes: disk.sizeBytes,
        phase: `reading the disk ${disk.name}`,
      });
      losses.push(...lossOf(disk.name, lostRuns(request.manifest.spaces[spaceIndex], lostFrames)));
    } finally {
      await file.close();
    }
  }
  return losses;
}

function lossOf(name: string, lost: readonly LostRun[]): readonly DiskLoss[] {
  return lost.length === 0 ? [] : [{ name, lost }];
}
