// A store that does something else in some of its methods: fails, watches, or lets others in between.

import type { Store } from '../../src/store/store.js';

export function changedStore(store: Store, methods: Partial<Store>): Store {
  const bound: Store = {
    url: store.url,
    copiesComeLater: store.copiesComeLater,
    write: store.write.bind(store),
    read: store.read.bind(store),
    blocks: store.blocks.bind(store),
    storedBytes: store.storedBytes.bind(store),
    stat: store.stat.bind(store),
    list: store.list.bind(store),
    rename: store.rename.bind(store),
    remove: store.remove.bind(store),
    close: store.close.bind(store),
  };
  return { ...bound, ...methods };
}
