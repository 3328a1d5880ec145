// What docs/ says of labels, copies and exit codes is what the code says. `npm run docs:tables` writes it anew.
import { readFileSync } from 'node:fs';
import { markedPart, withMarkedPart } from './marked-part.js';
import { docsTables, pathOf, tableText } from './tables.js';

test.each(docsTables)('$mark of $file is as the code has it', async (table) => {
  const written = markedPart(readFileSync(pathOf(table), 'utf8'), table.mark, table.file);
  expect(written).toBe((await tableText(table)).trim());
});

test('no row is of one cell more or less than the header', () => {
  for (const { rows } of docsTables) {
    expect(rows.length).toBeGreaterThan(4);
    expect(new Set(rows.map((cells) => cells.length))).toEqual(new Set([rows[0].length]));
    // It would end the cell.
    expect(rows.flat().filter((cell) => cell.includes('|'))).toEqual([]);
  }
});

test('what stands outside the marks is left alone, and marks that are missing are told', () => {
  const text = 'a\n\n<!-- m -->\n\nold\n\n<!-- /m -->\n\nb\n';
  const written = withMarkedPart(text, 'm', 'new\n', 'x.md');
  expect(written).toBe('a\n\n<!-- m -->\n\nnew\n\n<!-- /m -->\n\nb\n');
  expect(markedPart(written, 'm', 'x.md')).toBe('new');
  expect(() => markedPart('nothing', 'm', 'x.md')).toThrow(/expected <!-- m --> .* in x\.md/);
});
