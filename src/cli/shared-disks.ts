// Whether what a local store takes for several disks is one: folders on a file system are lost together.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Risk } from '../restore/snapshot-risks.js';

/** `folders` as the store names its disks. One that cannot be looked at shares nothing. */
export async function sharedDiskRisks(
  folders: readonly string[],
): Promise<readonly (Omit<Risk, 'kind'> & { readonly kind: 'shared-disk' })[]> {
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
    .map((together) => ({
      kind: 'shared-disk',
      sentence:
        `${together.map((folder) => basename(folder)).join(', ')} are folders of one file system and go with it all ` +
        'at once; name disks of their own with file:///?disks=',
    }));
}
