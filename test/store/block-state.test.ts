import { blockState, fewestPlaces, stateOfBlocks } from '../../src/store/block-state.js';
import type { StoredBlock } from '../../src/store/store.js';

const at = (
  liveCount: number,
  coding?: StoredBlock['coding'],
  unreachable: readonly string[] = [],
) => ({
  locations: Array.from({ length: liveCount }, (_, index) => `node${index}`),
  unreachable,
  coding,
});
const rs32 = { dataUnitCount: 3, parityUnitCount: 2 };

test.each([
  ['one copy', at(1), 'readable'],
  ['no copy', at(0), 'lost'],
  ['no copy but where nobody can look', at(0, undefined, ['disk 3']), 'unreachable'],
  ['a copy, and more where nobody can look', at(1, undefined, ['disk 3']), 'readable'],
  ['as many units as data has', at(3, rs32), 'readable'],
  ['fewer units than data has', at(2, rs32), 'lost'],
  ['units of a code that is not known', at(2, 'unknown'), 'readable'],
  ['no unit of a code that is not known', at(0, 'unknown'), 'lost'],
] as const)('a block with %s is %s', (_, block, state) => {
  expect(blockState(block)).toBe(state);
});

test('a file is as badly off as its worst block', () => {
  const away = at(0, undefined, ['disk 3']);
  expect(stateOfBlocks([])).toBe('readable');
  expect(stateOfBlocks([at(1), away])).toBe('unreachable');
  expect(stateOfBlocks([at(1), away, at(0)])).toBe('lost');
});

test('places are copies as asked for, or units as the code has them', () => {
  expect(fewestPlaces([], 3)).toEqual({ found: 3, wanted: 3 });
  expect(fewestPlaces([at(3), at(2)], 3)).toEqual({ found: 2, wanted: 3 });
  expect(fewestPlaces([at(4, rs32)], 1)).toEqual({ found: 4, wanted: 5, neededUnitCount: 3 });
  expect(fewestPlaces([at(4, 'unknown')], 3)).toEqual({ found: 4, wanted: 4, neededUnitCount: 4 });
});
