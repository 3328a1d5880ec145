// Circles in who imports whom: of files, and of the folders that stand beside each other in one folder.
import type { ImportGraph } from './imports.js';

/**
 * Circles, each as `a > b > a`; none where there are none. Of circles that share a member not all are given: what is left
 * of them is found once the first is broken.
 */
export function circlesIn(graph: ImportGraph): readonly string[] {
  const finished = new Set<string>();
  const way: string[] = [];
  const found: string[] = [];
  const visit = (member: string): void => {
    const start = way.indexOf(member);
    if (start >= 0) {
      found.push([...way.slice(start), member].join(' > '));
      return;
    }
    if (finished.has(member)) {
      return;
    }
    way.push(member);
    for (const next of graph.get(member) ?? []) {
      visit(next);
    }
    way.pop();
    finished.add(member);
  };
  for (const member of graph.keys()) {
    visit(member);
  }
  return found;
}

/** Who imports whom among the folders directly in `folder`, by the files below them. */
export function folderGraph(graph: ImportGraph, folder: string): ImportGraph {
  const targets = new Map<string, Set<string>>();
  for (const [path, imports] of graph) {
    const from = childFolder(folder, path);
    if (from === undefined) {
      continue;
    }
    const to = imports.map((name) => childFolder(folder, name));
    const known = targets.get(from) ?? new Set();
    targets.set(from, known);
    for (const name of to) {
      if (name !== undefined && name !== from) {
        known.add(name);
      }
    }
  }
  return new Map([...targets].map(([from, to]) => [from, [...to]]));
}

/** Each folder that files lie in, and the folders that these lie in. */
export function foldersOf(paths: Iterable<string>): readonly string[] {
  const all = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      all.add(path.slice(0, end));
    }
  }
  return [...all].sort();
}

/** `src/pack/hashes` for `src/pack` and `src/pack/hashes/layout.ts`; undefined for files in `folder` itself and elsewhere. */
function childFolder(folder: string, path: string): string | undefined {
  if (!path.startsWith(`${folder}/`)) {
    return undefined;
  }
  const end = path.indexOf('/', folder.length + 1);
  return end < 0 ? undefined : path.slice(0, end);
}
