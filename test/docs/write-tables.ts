// Writes the tables of docs/ that are made from the code: `npm run docs:tables`.
import { readFileSync, writeFileSync } from 'node:fs';
import { withMarkedPart } from './marked-part.js';
import { docsTables, pathOf, tableText } from './tables.js';

for (const table of docsTables) {
  const path = pathOf(table);
  const text = readFileSync(path, 'utf8');
  const written = withMarkedPart(text, table.mark, await tableText(table), table.file);
  if (written !== text) {
    writeFileSync(path, written);
    console.log(`wrote ${table.mark} of ${table.file}`);
  }
}
