import { againstLevels, roomsOf } from './levels.js';

const roomOf = roomsOf('x', (name) => (name === 'main.ts' ? 'main.ts' : 'words'));
const levels = [['words'], ['a', 'b'], ['main.ts']];

test('a room is a folder with all below it, or what stands in the folder itself', () => {
  expect(['x/a/deep/1.ts', 'x/main.ts', 'x/error.ts', 'y/a/1.ts', 'xy/1.ts'].map(roomOf)).toEqual([
    'a',
    'main.ts',
    'words',
    undefined,
    undefined,
  ]);
});

test('imports downwards, within a room and from elsewhere are in order', () => {
  const graph = new Map([
    ['x/main.ts', ['x/a/1.ts', 'x/b/1.ts', 'x/error.ts']],
    ['x/a/1.ts', ['x/a/deep/2.ts', 'x/error.ts', 'y/1.ts']],
    ['y/1.ts', ['x/main.ts']],
  ]);
  expect(againstLevels(graph, levels, roomOf)).toEqual([]);
});

test('imports upwards and sideways, and rooms without a level, are told', () => {
  const graph = new Map([
    ['x/error.ts', ['x/a/1.ts']],
    ['x/a/1.ts', ['x/b/1.ts', 'x/error.ts']],
    ['x/b/1.ts', ['x/main.ts']],
    ['x/c/1.ts', ['x/error.ts']],
  ]);
  expect(againstLevels(graph, levels, roomOf)).toEqual([
    'x/error.ts > x/a/1.ts',
    'x/a/1.ts > x/b/1.ts',
    'x/b/1.ts > x/main.ts',
    'x/c/1.ts: no level has c',
  ]);
});
