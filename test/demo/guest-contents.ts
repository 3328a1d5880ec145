// What the guest says its files and memory hold: checksums that it works out itself, before the snapshot and after the
// resume. Files go through its page cache, memory is asked from the process that holds it.

import { createHash } from 'node:crypto';
import { formatTable } from '../../src/cli/shared/format.js';
import { DemoFailure } from './demo-failure.js';

export type Checksums = ReadonlyMap<string, string>;

const kinds = [
  { title: 'files on its disk', holds: (name: string) => /^(files|written|dirty)\//.test(name) },
  { title: 'a deleted file, still open', holds: (name: string) => name === 'unlinked' },
  { title: 'tmpfs', holds: (name: string) => name.startsWith('shm/') },
  { title: 'anonymous memory', holds: (name: string) => name === 'anonymous' },
  { title: 'anonymous memory, huge pages', holds: (name: string) => name === 'huge' },
];

/** Enough to see at a glance that two are the same. */
const digitsShown = 16;

export function contentsTable(before: Checksums, after: Checksums): string {
  return formatTable(
    ['the guest holds', 'checksums', 'before', 'after'],
    kinds.map(({ title, holds }) => {
      const names = [...before.keys()].filter(holds);
      return [title, String(names.length), digest(before, names), digest(after, names)];
    }),
    ['left', 'right', 'left', 'left'],
  ).join('\n');
}

/** Throws unless both name the same contents with the same checksums. */
export function expectSameContents(before: Checksums, after: Checksums): void {
  const different = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  if (before.size === 0 || different.length > 0) {
    throw new DemoFailure(
      `expected the ${before.size} checksums of before, these differ: ${different.join(', ')}`,
    );
  }
}

function digest(checksums: Checksums, names: readonly string[]): string {
  const all = names.map((name) => `${name} ${checksums.get(name) ?? 'missing'}\n`).join('');
  return createHash('sha256').update(all).digest('hex').slice(0, digitsShown);
}
