// The names of a store in memory: folders, and files with their bytes. Nothing here waits, so each change is atomic.

import { ParsError } from '../../../introspect/pars-error.js';

export interface MemoryFile {
  readonly kind: 'file';
  /** One for all copies. */
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
  /** Numbers of the nodes that were given a copy, the first choice first. More come to it when the redundancy is raised. */
  nodeNumbers: readonly number[];
}

export interface MemoryFolder {
  readonly kind: 'folder';
  readonly modifiedMs: number;
  readonly children: Map<string, MemoryEntry>;
}

export type MemoryEntry = MemoryFile | MemoryFolder;

export class MemoryTree {
  readonly #root = newFolder();

  /** Undefined when there is nothing; '' is the root. */
  lookUp(name: string): MemoryEntry | undefined {
    let found: MemoryEntry | undefined = this.#root;
    for (const segment of segmentsOf(name)) {
      if (found?.kind !== 'folder') {
        return undefined;
      }
      found = found.children.get(segment);
    }
    return found;
  }

  /** Makes the parent folders. Throws `already-exists`. */
  add(name: string, entry: MemoryEntry): void {
    this.expectFree(name);
    const segments = segmentsOf(name);
    let folder = this.#root;
    for (const segment of segments.slice(0, -1)) {
      const child = folder.children.get(segment) ?? newFolder();
      if (child.kind !== 'folder') {
        throw new ParsError('not-found', `${name}: expected the folder ${segment}, found a file`);
      }
      folder.children.set(segment, child);
      folder = child;
    }
    folder.children.set(segments[segments.length - 1], entry);
  }

  expectFree(name: string): void {
    if (this.lookUp(name) !== undefined) {
      throw new ParsError(
        'already-exists',
        `${name}: there is one already, and nothing was overwritten`,
      );
    }
  }

  move(from: string, to: string): void {
    const entry = this.lookUp(from);
    if (entry === undefined) {
      throw new ParsError('not-found', `${from}: there is nothing to rename`);
    }
    if (to.startsWith(`${from}/`)) {
      throw new ParsError('usage', `${from}: expected another place for it, found ${to} within it`);
    }
    this.add(to, entry);
    this.#take(from);
  }

  remove(name: string, only: 'file' | 'empty-folder' | undefined): void {
    const entry = this.lookUp(name);
    if (entry === undefined) {
      return;
    }
    if (only !== undefined && (entry.kind === 'file') !== (only === 'file')) {
      throw new ParsError(
        'usage',
        `${name}: it is a ${entry.kind}, and was to be removed as another`,
      );
    }
    if (only === 'empty-folder' && entry.kind === 'folder' && entry.children.size > 0) {
      throw new ParsError('already-exists', `${name}: the folder is not empty`);
    }
    this.#take(name);
  }

  #take(name: string): void {
    const slash = name.lastIndexOf('/');
    const parent = this.lookUp(name.slice(0, Math.max(0, slash)));
    if (parent?.kind === 'folder') {
      parent.children.delete(name.slice(slash + 1));
    }
  }
}

function newFolder(): MemoryFolder {
  return { kind: 'folder', modifiedMs: Date.now(), children: new Map() };
}

function segmentsOf(name: string): readonly string[] {
  return name === '' ? [] : name.split('/');
}
