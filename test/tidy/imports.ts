// Which file imports which, read with TypeScript's own scanner: of types too, dynamic, and re-exported.
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { textOf } from './source-files.js';

/** For each file, those that it imports. Packages are left out. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The files of the repository that a file imports, from the root, with the endings that they have on the disk. */
export function importsOf(path: string, text: string): readonly string[] {
  const names = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  const files = names
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(path), name).replace(/\.js$/, '.ts'));
  return [...new Set(files)];
}

export function importGraph(paths: readonly string[]): ImportGraph {
  return new Map(paths.map((path) => [path, importsOf(path, textOf(path))]));
}
