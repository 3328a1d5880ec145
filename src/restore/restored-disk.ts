// The disks of a snapshot as a restore writes them: DIR/disk-NAME.img, raw and sparse.
import { join } from 'node:path';
import { disksOf } from '../manifest/space/spaces.js';
import type { DiskSpace, Manifest } from '../manifest/types.js';
import type { SpaceTarget } from './space-target.js';

export interface RestoredDisk {
  readonly name: string;
  readonly path: string;
  /** Where the VM had it, and as what; the restored file is raw. */
  readonly sourcePath: string;
  readonly sourceFormat: string;
  /** True where the VM's own image is encrypted: what is stored is not. */
  readonly wasEncrypted?: true | undefined;
}

export type DiskTarget = SpaceTarget<DiskSpace>;

export function diskTargets(manifest: Manifest, folder: string): readonly DiskTarget[] {
  return disksOf(manifest).map((space) => ({
    space,
    path: join(folder, `${space.name}.img`),
    sizeBytes: space.disk.sizeBytes,
    phase: `reading the disk ${space.disk.name}`,
  }));
}

export function restoredDisk({ space, path }: DiskTarget): RestoredDisk {
  const { name, sourcePath, sourceFormat, wasEncrypted } = space.disk;
  return { name, path, sourcePath, sourceFormat, wasEncrypted };
}
