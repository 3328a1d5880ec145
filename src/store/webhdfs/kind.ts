// HDFS over WebHDFS as a kind of store.

import type { StoreKind } from '../kind.js';
import { parseWebHdfsUrl, tokenParameter, tokenVariable, webHdfsUrlForm } from './url.js';
import type { WebHdfsOptions } from './webhdfs-store.js';

export const webHdfsKind: StoreKind<WebHdfsOptions> = {
  schemes: ['webhdfs', 'swebhdfs'],
  isLasting: true,
  helpForms: ['webhdfs://host:port/path', 'swebhdfs://...'],
  urlForms: webHdfsUrlForm,
  checkUrl: parseWebHdfsUrl,
  open: async (url, options) =>
    await (await import('./webhdfs-store.js')).openWebHdfsStore(url, options),
  secrets: { variables: [tokenVariable], parameters: [tokenParameter] },
};
