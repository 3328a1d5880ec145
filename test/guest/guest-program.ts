// Compiles the guest's own programs, once for each version of their source, into the user's cache.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../setup/cache-folder.mjs';

export type GuestProgram = 'churn' | 'hold' | 'page-reader' | 'press' | 'witness';

export function compiledProgram(name: GuestProgram): string {
  return compiledSource(fileURLToPath(new URL(`${name}.c`, import.meta.url)));
}

/** The path of the static program. Test files run in parallel processes: each may compile, the last one stays. */
export function compiledSource(source: string): string {
  const version = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), 'guest-programs');
  const path = join(folder, `${basename(source, '.c')}-${version}`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const unfinished = `${path}.${String(process.pid)}`;
    execFileSync('gcc', ['-O2', '-static', '-s', '-o', unfinished, source], { stdio: 'pipe' });
    renameSync(unfinished, path);
  }
  return path;
}
