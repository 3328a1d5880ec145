// The memory of this process as a kind of store, for tests and simulations.

import type { StoreKind } from '../kind.js';
import { noSecrets } from '../kind.js';
import { memoryUrlForm, parseMemoryUrl } from './url.js';

export const memoryKind: StoreKind = {
  schemes: ['memory'],
  isLasting: false,
  helpForms: [memoryUrlForm],
  urlForms: memoryUrlForm,
  checkUrl: parseMemoryUrl,
  open: async (url) => await (await import('./memory-store.js')).openMemoryStore(url),
  secrets: noSecrets,
};
