// Folders that are gone after the test, also when it failed or was interrupted.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forgetFolder, trackFolder } from '../hdfs/leftovers.js';

export interface TemporaryFolder {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

export async function makeTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'pars-e2e-'));
  trackFolder(path);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      forgetFolder(path);
    },
  };
}
