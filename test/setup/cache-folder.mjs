// Where downloads live that are too large for the repository and too slow to
// fetch for every run: the user's cache folder, so that a fresh checkout or
// `git clean` costs no second download.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The cache folder of this project, not necessarily there yet. */
export function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME;
  return join(base ? base : join(homedir(), '.cache'), 'pars');
}

/** One subfolder per unpacked kernel package, named like the package. */
export function kernelCacheFolder() {
  return join(cacheFolder(), 'kernel');
}
