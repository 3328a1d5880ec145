// The files of the repository, by their path from its root, and their text.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Folders whose files were written here, from the root of the repository. */
export const folders = ['src', 'introspect', 'test', 'bench', 'build', 'docs'] as const;

/** All files below `folder`, ascending. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/** The files that stand in the root itself. */
export function filesInRoot(): readonly string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Whether comments are looked for in a file: TypeScript, and the JavaScript that runs without being compiled. */
export function isCode(path: string): boolean {
  return /\.(?:m?ts|m?js)$/.test(path);
}
