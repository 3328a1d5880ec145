import { isThere, mentionsIn } from './mentions.js';

const files = [
  'README.md',
  'src/pack/FORMAT.md',
  'src/pack/layout.ts',
  'introspect/mm/cache/collapses.ts',
];

test('names of files are found in a sentence, with folders and dots', () => {
  expect(
    mentionsIn(
      'As mm/cache/collapses.ts says (layout.ts), in ../pack/FORMAT.md#order; see a.test.ts, ./b.mjs. c.d.mts',
    ),
  ).toEqual([
    'mm/cache/collapses.ts',
    'layout.ts',
    '../pack/FORMAT.md',
    'a.test.ts',
    './b.mjs',
    'c.d.mts',
  ]);
});

test('what ends otherwise is not a file of ours', () => {
  expect(
    mentionsIn('mm/page_alloc.c, x.json, x.tsx, x.ts.map, x.md5, .ts, https://a.org/b.md'),
  ).toEqual([]);
});

test.each(['layout.ts', 'pack/layout.ts', 'src/pack/layout.ts', '../pack/FORMAT.md', './plan.ts'])(
  '%s is there',
  (name) => {
    expect(isThere('src/plan/x.ts', name, [...files, 'src/plan/plan.ts'])).toBe(true);
  },
);

test.each(['out.ts', 'plan/layout.ts', 'ayout.ts', './layout.ts', '../FORMAT.md'])(
  '%s is not there',
  (name) => {
    expect(isThere('src/plan/x.ts', name, files)).toBe(false);
  },
);
