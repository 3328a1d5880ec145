// Results of long runs, kept in the user's cache as they come, so that a run of an hour can be interrupted. They are good
// for as long as nothing has changed that they follow from.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A hash of all sources below these folders of the repository, but for tests. */
export function hashOfSources(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of folders) {
    const folder = fileURLToPath(new URL(`../${path}`, import.meta.url));
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    for (const name of names.filter((entry) => /(?<!\.test)\.(?:ts|sh|c)$/.test(entry))) {
      hash.update(name).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex');
}

/** Short, of everything that a result follows from. */
export function identityOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** What was kept at `path` under the same identity, or undefined. */
export function readKept(path: string, identity: string): unknown {
  const kept = readKeptOfAny(path);
  return kept?.of === identity ? kept.result : undefined;
}

/** What was kept at `path` last, under whatever identity. */
export function readKeptOfAny(path: string): { of: string; result: unknown } | undefined {
  return existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { of: string; result: unknown })
    : undefined;
}

export function keep(path: string, identity: string, result: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.unfinished`, JSON.stringify({ of: identity, result }, null, 2));
  renameSync(`${path}.unfinished`, path);
}
