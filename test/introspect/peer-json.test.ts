// JSON of others, within limits: what is parsed is what JSON.parse makes of it, and what is too much is refused before.
import fc from 'fast-check';
import { parsePeerJson } from '../../introspect/peer-json.js';

test('any JSON that is not too deep is read as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20, stringUnit: 'binary' }), (value) => {
      const text = JSON.stringify(value);
      expect(parsePeerJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('brackets and commas within strings do not count, however quotes are escaped', () => {
  const value = ['[[[[', '{{{{', ',,,,', '\\', '\\"[[', '"', 'a\\\\"'];
  const limits = { maxDepth: 1, maxValueCount: value.length };
  expect(parsePeerJson(JSON.stringify(value), limits)).toEqual(value);
});

test('what is nested too deeply is refused, open or closed', () => {
  for (const text of ['['.repeat(65) + ']'.repeat(65), '{"a":'.repeat(1e6), '['.repeat(1e6)]) {
    expect(() => parsePeerJson(text)).toThrow(SyntaxError);
  }
  expect(() => parsePeerJson('['.repeat(64) + ']'.repeat(64))).not.toThrow();
});

test('too many values are refused', () => {
  expect(() => parsePeerJson('[0,0,0]', { maxValueCount: 2 })).toThrow(/more than 2 values/);
  expect(parsePeerJson('[0,0,0]', { maxValueCount: 3 })).toEqual([0, 0, 0]);
});

test('what is no JSON is refused as JSON.parse does', () => {
  for (const text of ['', '{', '"', '"\\', 'nul', '[1,]', '\u0000']) {
    expect(() => parsePeerJson(text)).toThrow(SyntaxError);
  }
});
