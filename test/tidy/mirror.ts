// Tests stand where their sources do: that of src/pack/encode.ts is test/pack/encode.test.ts, that of introspect/mm/memmap.ts is
// test/introspect/mm/memmap.test.ts.
import { basename } from 'node:path';

/** Where the test of a source file stands. */
export function testOf(source: string): string {
  return source
    .replace(/^src\//, '')
    .replace(/^/, 'test/')
    .replace(/\.ts$/, '.test.ts');
}

/** What a test that mirrors no source may be the test of: sources of its name elsewhere. */
export function namesakesOf(test: string, sources: readonly string[]): readonly string[] {
  const name = basename(test).replace(/\.test\.ts$/, '.ts');
  return sources.filter((source) => basename(source) === name);
}

/** The tests of `tests` that mirror no source and stand in none of `apart`, folders whose tests are of the whole. */
export function unmirrored(
  tests: readonly string[],
  sources: readonly string[],
  apart: readonly string[],
): readonly string[] {
  const mirrored = new Set(sources.map(testOf));
  return tests.filter(
    (test) => !mirrored.has(test) && !apart.some((folder) => test.startsWith(`${folder}/`)),
  );
}
