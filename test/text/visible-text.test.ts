// What text becomes before anybody sees it: one line, and every character of it to be seen.
import fc from 'fast-check';
import { flatLines, type Lines, paragraphs } from '../../src/text/standard-streams.js';
import {
  escapeJson,
  replaceUnseen,
  shortVisibleText,
  visibleJson,
  visibleText,
} from '../../src/text/visible-text.js';
import { hostileTexts, unseenIn } from './hostile-text.js';

/** Any UTF-16 at all, and often what is hostile. */
const anyText = fc.oneof(
  fc.constantFrom(...Object.values(hostileTexts)),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

test.each(Object.entries(hostileTexts))('%s becomes a line that can be seen', (_, text) => {
  expect(unseenIn(visibleText(text))).toEqual([]);
  expect(visibleText(text)).not.toContain('\n');
});

test('any text becomes one line that can be seen, and stays it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const visible = visibleText(text);
      expect(unseenIn(visible)).toEqual([]);
      expect(visible).not.toContain('\n');
      expect(visibleText(visible)).toBe(visible);
    }),
    { numRuns: 1000 },
  );
});

test('text that people write stays as it is', () => {
  for (const text of ['web-1 /vms/å b.qcow2', 'Ελλάδα 日本語 العربية', '🐧 100 %', 'C:\\vm\\x41']) {
    expect(visibleText(text)).toBe(text);
  }
});

test('each escape names its character', () => {
  expect(visibleText('\u001b[0m\n\t\r\u007f\u009b\u202e\u{e0001}\ud800')).toBe(
    '\\x1b[0m\\n\\t\\r\\x7f\\x9b\\u202e\\u{e0001}\\ud800',
  );
});

test('JSON can be seen, and is the same value to who reads it', () => {
  fc.assert(
    fc.property(anyText, anyText, (key, text) => {
      const json = visibleJson({ [key]: [text] });
      expect(unseenIn(json)).toEqual([]);
      expect(JSON.parse(json)).toEqual({ [key]: [text] });
      expect(escapeJson(json)).toBe(json);
    }),
    { numRuns: 1000 },
  );
});

test('what is too long is cut, however much its escapes take', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, maxLength) => {
      const short = shortVisibleText(text, maxLength);
      expect(short.length).toBeLessThanOrEqual(maxLength);
      expect(unseenIn(short)).toEqual([]);
      expect(short === visibleText(text) || short.endsWith('…')).toBe(true);
    }),
  );
  expect(shortVisibleText('x'.repeat(2 ** 26), 10)).toBe('xxxxxxxxx…');
});

test('where nothing is spelled out, line ends and tabs stay', () => {
  expect(replaceUnseen('a\nb\tc\u0007d\u202e', '?')).toBe('a\nb\tc?d?');
});

test('blocks stand apart by one empty line, and none is left by an empty block', () => {
  const blocks: readonly Lines[] = [['a', ['b']], [], 'c', [[]]];
  expect(flatLines(paragraphs(blocks))).toEqual(['a', 'b', '', 'c']);
});
