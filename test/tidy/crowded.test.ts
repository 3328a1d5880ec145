import { crowdedFolders } from './crowded.js';

test('a folder is crowded by its own files, not by those of its folders', () => {
  const paths = ['x/1.ts', 'x/2.ts', 'x/a/1.ts', 'x/a/2.ts', 'x/a/3.ts'];
  expect(crowdedFolders(paths, 2)).toEqual(['x/a: 3']);
  expect(crowdedFolders(paths, 3)).toEqual([]);
});
