// Compiled code is kept from one run to the next, where Node can (22.8 and later): nodejs.org/api/module.html, "Module compile cache".
import { mkdirSync, statSync } from 'node:fs';
import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

interface CompileCache {
  readonly enableCompileCache?: (directory: string) => unknown;
}

/**
 * Keeps it in the caller's own cache folder, `$XDG_CACHE_HOME/pars/compiled`: Node would take one below the folder for temporary
 * files, where another user may have put something. What cannot be kept is compiled again; nothing is said of it.
 */
export function keepCompiledCode(): void {
  const { enableCompileCache } = nodeModule as CompileCache;
  const folder = ownFolder();
  if (enableCompileCache !== undefined && folder !== undefined) {
    enableCompileCache(folder);
  }
}

/** Undefined where there is none that only this user can write to, or this user has no home. */
function ownFolder(): string | undefined {
  try {
    const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
    if (!isAbsolute(base)) {
      return undefined;
    }
    const folder = join(base, 'pars', 'compiled');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    return uid === process.geteuid?.() && (mode & 0o022) === 0 ? folder : undefined;
  } catch {
    return undefined;
  }
}
