// The URL of a store in memory: memory:NAME. In one process, the same name is the same store.

import { ParsError } from '../../../introspect/pars-error.js';

export const memoryUrlForm = 'memory:NAME';

/** The name. Throws `usage` for another form. */
export function parseMemoryUrl(text: string): string {
  const name = /^memory:([A-Za-z0-9._-]{1,255})$/i.exec(text)?.[1];
  if (name === undefined) {
    throw new ParsError(
      'usage',
      `${text}: expected ${memoryUrlForm}, with a NAME of up to 255 of A-Z a-z 0-9 . _ -`,
    );
  }
  return name;
}
