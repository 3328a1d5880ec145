// HDFS by its own protocols as a kind of store.

import { noSecrets, type StoreKind } from '../kind.js';
import type { HdfsOptions } from './hdfs-store.js';
import { hdfsUrlForm, parseHdfsUrl } from './url.js';

export const hdfsKind: StoreKind<HdfsOptions> = {
  schemes: ['hdfs'],
  isLasting: true,
  helpForms: ['hdfs://host:port/path'],
  urlForms: hdfsUrlForm,
  checkUrl: parseHdfsUrl,
  open: async (url, options) => await (await import('./hdfs-store.js')).openHdfsStore(url, options),
  secrets: noSecrets,
};
