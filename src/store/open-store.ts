// Opens the store that a URL names. Each kind is imported only when it is asked for: a run on local disks loads no
// HTTP client.

import { ParsError } from '../../introspect/pars-error.js';
import type { Store } from './store.js';
import type { LocalStoreOptions } from './local/prepare-disks.js';
import { localUrlForms } from './local/url.js';
import { webHdfsUrlForm } from './webhdfs/url.js';
import type { openWebHdfsStore } from './webhdfs/webhdfs-store.js';

/** Options of the other kind of store than the URL's are not looked at. */
export interface OpenStoreOptions {
  readonly local?: LocalStoreOptions;
  readonly webHdfs?: NonNullable<Parameters<typeof openWebHdfsStore>[1]>;
}

/**
 * Throws `usage` when `url` has none of the known forms; besides, what the opening of that store throws.
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  // Not by the URL class: a list of NameNodes is no URL to it.
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1].toLowerCase();
  if (scheme === undefined) throw wrongForm(`'${withoutSecrets(url)}' is no URL of a store`);
  switch (scheme) {
    case 'file': {
      const { openLocalStore } = await import('./local/local-store.js');
      return openLocalStore(url, options.local);
    }
    case 'webhdfs':
    case 'swebhdfs': {
      const { openWebHdfsStore } = await import('./webhdfs/webhdfs-store.js');
      return openWebHdfsStore(url, options.webHdfs);
    }
    default:
      throw wrongForm(`there is no store for the scheme '${scheme}:'`);
  }
}

function wrongForm(found: string): ParsError {
  return new ParsError('usage', `${found}; expected ${localUrlForms}, or ${webHdfsUrlForm}`);
}

/** What is not a URL may have a password in it all the same. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//***@').replace(/\?.*/s, '?***');
}
