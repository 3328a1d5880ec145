// A store that does something else in some of its methods: fails, watches, or lets others in between.

import type { Store } from '../../src/store/store.js';

export function changedStore(store: Store, methods: Partial<Store>): Store {
  return { ...store, ...methods };
}
