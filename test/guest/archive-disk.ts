// Files for a guest beyond those of its data disk, as a disk of their own: a tar archive on /dev/vdc.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type ArchiveFile = { readonly bytes: Uint8Array } | { readonly path: string };

/** Makes the disk at `path`, and returns QEMU's arguments for it. `files`: by name. */
export function makeArchiveDisk(
  path: string,
  files: Readonly<Record<string, ArchiveFile>>,
): readonly string[] {
  const folder = `${path}.tree`;
  mkdirSync(folder);
  try {
    for (const [name, file] of Object.entries(files)) {
      const target = join(folder, name);
      if ('bytes' in file) {
        writeFileSync(target, file.bytes);
      } else {
        copyFileSync(file.path, target);
      }
    }
    execFileSync('tar', ['-cf', path, '-C', folder, ...Object.keys(files)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [
    '-blockdev',
    `driver=raw,node-name=archive,read-only=on,file.driver=file,file.filename=${path}`,
    ...['-device', 'virtio-blk-pci,id=archive-device,drive=archive'],
  ];
}

/** For the guest: where its files are then. */
export const archiveFolder = '/run/archive';
export const unpackArchive = `mkdir ${archiveFolder} && tar xf /dev/vdc -C ${archiveFolder}`;
