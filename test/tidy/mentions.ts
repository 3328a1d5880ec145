// Files of ours that a comment or a page names. Of other people's trees (mm/page_alloc.c, migration/ram.c) only C is named
// here, so what ends like a file of ours is meant as one.
import { dirname, join } from 'node:path';

const nameOfOurs =
  /(?<![\w./@-])((?:\.{1,2}\/)*(?:[\w.-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|mts|mjs|md))(?![\w-]|\.\w)/g;

/** The files that `text` names, as it names them. */
export function mentionsIn(text: string): readonly string[] {
  return [...text.matchAll(nameOfOurs)].map(([, name]) => name);
}

/**
 * Whether the file `path` may name a file so: from itself, with `./` or `../`, or by the end of its path from the root, at a
 * border between names.
 */
export function isThere(path: string, name: string, files: readonly string[]): boolean {
  if (name.startsWith('.')) {
    return files.includes(join(dirname(path), name));
  }
  return files.some((file) => file === name || file.endsWith(`/${name}`));
}
