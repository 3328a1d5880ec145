// The store that a report is on, for as long as it is asked.
import { ParsError } from '../../../introspect/pars-error.js';
import { openStore } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';

export async function withStore<T>(
  { store: url }: { readonly store?: string },
  work: (store: Store) => Promise<T>,
): Promise<T> {
  if (url === undefined) {
    throw new ParsError(
      'usage',
      'say with --store URL, or in PARS_STORE, where the snapshots are; --estimate IMAGE alone needs no store',
    );
  }
  const store = await openStore(url, { local: { mustExist: true } });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
