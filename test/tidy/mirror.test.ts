import { namesakesOf, testOf, unmirrored } from './mirror.js';

const sources = ['src/pack/encode.ts', 'src/manifest/body/chain.ts', 'introspect/mm/memmap.ts'];

test('a test stands where its source does', () => {
  expect(sources.map(testOf)).toEqual([
    'test/pack/encode.test.ts',
    'test/manifest/body/chain.test.ts',
    'test/introspect/mm/memmap.test.ts',
  ]);
});

test('a test that stands elsewhere, or has no source, is told', () => {
  const tests = [
    ...sources.map(testOf),
    'test/manifest/chain.test.ts',
    'test/pack/fuzz.test.ts',
    'test/e2e/encode.test.ts',
  ];
  expect(unmirrored(tests, sources, ['test/e2e'])).toEqual([
    'test/manifest/chain.test.ts',
    'test/pack/fuzz.test.ts',
  ]);
});

test('a source of the same name is found', () => {
  expect(namesakesOf('test/manifest/chain.test.ts', sources)).toEqual([
    'src/manifest/body/chain.ts',
  ]);
  expect(namesakesOf('test/pack/fuzz.test.ts', sources)).toEqual([]);
});
