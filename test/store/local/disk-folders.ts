// A local store in a temporary folder, with what happens to disks done to it from outside, as the world would.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import type { Store } from '../../../src/store/store.js';

export interface StoreFixture {
  readonly folder: string;
  readonly url: string;
  readonly store: Store;
}

/** Calls `use` with a new store on five disks, and removes all of it afterwards. */
export async function withStore(use: (fixture: StoreFixture) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const url = pathToFileURL(folder).href;
    const store = await openLocalStore(url);
    await use({ folder, url, store });
    await store.close();
  });
}

export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pars-local-store-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The folders of the disks that hold the only block of `name`. */
export async function disksWith(store: Store, name: string): Promise<readonly string[]> {
  return (await store.blocks(name)).flatMap((block) => block.locations);
}

/** The file with the bytes of a copy; `disk` holds one copy. */
export async function onlyCopyOn(disk: string): Promise<string> {
  const data = path.join(disk, 'data');
  const copies = (await readdir(data)).filter((file) => !file.startsWith('.'));
  expect(copies).toHaveLength(1);
  return path.join(data, copies[0]);
}
