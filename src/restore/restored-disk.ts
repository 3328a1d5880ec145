// The disks of a snapshot as a restore writes them: DIR/disk-NAME.img, raw and sparse.
import { join } from 'node:path';
import { disksOf } from '../manifest/space/spaces.js';
import type { DiskSpace, Manifest } from '../manifest/types.js';
import { createPart, partOf } from './part-file.js';
import { type DiskLoss, restoreLoss } from '../loss/snapshot-loss.js';
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

/** A disk to be restored. */
export interface DiskTarget {
  readonly space: DiskSpace;
  readonly path: string;
}

export function diskTargets(manifest: Manifest, folder: string): readonly DiskTarget[] {
  return disksOf(manifest).map((space) => ({ space, path: join(folder, `${space.name}.img`) }));
}

export function restoredDisk({ space, path }: DiskTarget): RestoredDisk {
  const { name, sourcePath, sourceFormat, wasEncrypted } = space.disk;
  return { name, path, sourcePath, sourceFormat, wasEncrypted };
}

/** Writes the disks under the names of their parts, of which `onPart` is told. What it could not read is a hole. */
export async function writeDisks(
  request: Omit<WriteSpaceRequest, 'space' | 'file' | 'path' | 'sizeBytes' | 'phase'>,
  targets: readonly DiskTarget[],
  onPart: (path: string) => void,
): Promise<readonly DiskLoss[]> {
  const losses: DiskLoss[] = [];
  for (const { space, path } of targets) {
    const { disk } = space;
    const part = partOf(path);
    const file = await createPart(part);
    try {
      onPart(part);
      const lostFrames = await writeSpace({
        ...request,
        space,
        file,
        path: part,
        sizeBytes: disk.sizeBytes,
        phase: `reading the disk ${disk.name}`,
      });
      losses.push(...restoreLoss([space], lostFrames).lostOnDisks);
    } finally {
      await file.close();
    }
  }
  return losses;
}
