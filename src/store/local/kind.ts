// Local disks as a kind of store.

import type { StoreKind } from '../kind.js';
import { noSecrets } from '../kind.js';
import type { LocalStoreOptions } from './membership/prepare-disks.js';
import { localUrlForms, parseLocalUrl } from './url.js';

export const localKind: StoreKind<LocalStoreOptions> = {
  schemes: ['file'],
  isLasting: true,
  helpForms: ['file:///dir'],
  urlForms: localUrlForms,
  checkUrl: parseLocalUrl,
  open: async (url, options) =>
    await (await import('./local-store.js')).openLocalStore(url, options),
  secrets: noSecrets,
  disks: async () => (await import('./disk-care.js')).diskCare,
};
