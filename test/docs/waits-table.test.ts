// The table of waits in docs/waits.md names constants that are there.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const table = readFileSync(join(root, 'docs/waits.md'), 'utf8');
const rows = [...table.matchAll(/\| `(\w+)` in (\S+\.ts)\s*\|/g)].map(([, name, file]) => ({
  name,
  file,
}));

test('the table of waits has its rows', () => {
  expect(rows.length).toBeGreaterThan(25);
});

test.each(rows)('$name is in $file', ({ name, file }) => {
  expect(readFileSync(join(root, file), 'utf8')).toMatch(new RegExp(`\\b${name}\\b`));
});
