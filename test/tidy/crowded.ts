// Folders with more files than a reader takes in at once.
import { dirname } from 'node:path';

/** `src/x: 16` for each folder in which more than `fileMaxCount` of the files stand; those in its folders are counted there. */
export function crowdedFolders(paths: readonly string[], fileMaxCount: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > fileMaxCount)
    .map(([folder, count]) => `${folder}: ${count}`);
}
