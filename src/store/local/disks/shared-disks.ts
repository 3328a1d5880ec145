// Whether what a local store takes for several disks is one: folders on a file system are lost together.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';

/** A sentence for each file system that has several of `folders`. One that cannot be looked at shares nothing. */
export async function sharedDisks(folders: readonly string[]): Promise<readonly string[]> {
  const byDevice = new Map<number, string[]>();
  for (const folder of folders) {
    const device = await stat(folder).then(
      ({ dev }) => dev,
      () => undefined,
    );
    if (device !== undefined) {
      byDevice.set(device, [...(byDevice.get(device) ?? []), folder]);
    }
  }
  return [...byDevice.values()]
    .filter((together) => together.length > 1)
    .map(
      (together) =>
        `${together.map((folder) => basename(folder)).join(', ')} are folders of one file system and go with it all ` +
        'at once; name disks of their own with file:///?disks=',
    );
}
