// Whether there is room for what is about to be written, by file system.
import { stat, statfs } from 'node:fs/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';

export interface SpaceNeed {
  readonly folder: string;
  readonly sizeBytes: number;
}

/** Throws `no-space`. Needs on the same file system add up. */
export async function expectFreeSpace(needs: readonly SpaceNeed[]): Promise<void> {
  const byDevice = new Map<number, SpaceNeed>();
  for (const { folder, sizeBytes } of needs) {
    const { dev } = await stat(folder).catch((error: unknown) => {
      throw diskError(error, `cannot look at ${folder}`);
    });
    const before = byDevice.get(dev)?.sizeBytes ?? 0;
    byDevice.set(dev, { folder, sizeBytes: before + sizeBytes });
  }
  for (const { folder, sizeBytes } of byDevice.values()) {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < sizeBytes) {
      throw new ParsError(
        'no-space',
        `expected ${sizeBytes} free bytes on the file system of ${folder}, found ${bavail * bsize}; nothing was done`,
      );
    }
  }
}
