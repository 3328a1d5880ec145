// Opens the store that a URL names, whatever its kind.

import { type OpenStoreOptions, type StoreKindName, storeKindName, storeKinds } from './kinds.js';
import type { Store } from './store.js';

export type { OpenStoreOptions };

/** Throws `usage` when `url` has none of the known forms; besides, what the opening of that kind of store throws. */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  return await openAs(storeKindName(url), url, options);
}

function openAs<Name extends StoreKindName>(
  name: Name,
  url: string,
  options: Pick<OpenStoreOptions, Name>,
): Promise<Store> {
  return storeKinds[name].open(url, options[name]);
}
