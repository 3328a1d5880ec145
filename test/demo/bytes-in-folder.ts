// What a store really takes: the lengths of all files below a folder, its own bookkeeping included.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function bytesInFolder(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
