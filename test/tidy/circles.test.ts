import { circlesIn, folderGraph, foldersOf } from './circles.js';

const graphOf = (imports: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(imports));

test('a circle is found, whoever else leads to it', () => {
  const graph = graphOf({ a: ['b', 'd'], b: ['c'], c: ['d'], d: ['b'], e: ['a'] });
  expect(circlesIn(graph)).toEqual(['b > c > d > b']);
});

test('a file that imports itself is a circle', () => {
  expect(circlesIn(graphOf({ a: ['a'] }))).toEqual(['a > a']);
});

test('two ways to one file are no circle', () => {
  expect(circlesIn(graphOf({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([]);
});

test('folders form a circle where no file does', () => {
  const graph = graphOf({
    'x/a/1.ts': ['x/b/1.ts'],
    'x/a/2.ts': ['x/a/1.ts'],
    'x/b/1.ts': ['x/own.ts'],
    'x/b/deep/2.ts': ['x/a/deep/3.ts'],
    'x/own.ts': [],
  });
  expect(circlesIn(graph)).toEqual([]);
  expect(circlesIn(folderGraph(graph, 'x'))).toEqual(['x/a > x/b > x/a']);
  expect(circlesIn(folderGraph(graph, 'x/b'))).toEqual([]);
});

test('folders of files are those above them too', () => {
  expect(foldersOf(['x/a/b/1.ts', 'x/2.ts', '3.ts'])).toEqual(['x', 'x/a', 'x/a/b']);
});
