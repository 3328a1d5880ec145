// A spool: the folder where snapshots wait for the store, and what it may hold.
import type { SpoolLimits } from './bounds.js';
import { makeSpoolFolders, type SpoolPaths } from './layout.js';

export interface Spool {
  readonly paths: SpoolPaths;
  readonly limits: SpoolLimits;
}

/** Makes what is missing of its folders. Throws `permission-denied` where somebody else could change them. */
export async function openSpool(root: string, limits: SpoolLimits): Promise<Spool> {
  return await Promise.resolve({ paths: makeSpoolFolders(root), limits });
}
