// The style sheet and the script of every page, which are shipped as they are.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface PageFiles {
  readonly style: string;
  readonly script: string;
}

export function readPageFiles(): PageFiles {
  // Sources and what is compiled of them lie at different depths; the package's root is the same for both.
  const root = dirname(createRequire(import.meta.url).resolve('pars/package.json'));
  const read = (name: string): string =>
    readFileSync(join(root, 'src/report/html/page', name), 'utf8');
  return { style: read('page.css'), script: read('memory-map.js') };
}
