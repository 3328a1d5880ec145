// The local store under the suite that every store passes.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore } from '../../../src/store/open-store.js';
import { describeStoreContract } from '../store-contract.js';

describeStoreContract('the local store', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pars-local-store-'));
  return {
    store: await openStore(pathToFileURL(folder).href),
    cleanup: () => rm(folder, { recursive: true }),
  };
});
