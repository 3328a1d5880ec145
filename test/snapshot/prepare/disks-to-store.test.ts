// Names of captured disks, where the guest's memory has names of its own for them.
import { withNames } from '../../../src/snapshot/prepare/disks-to-store.js';

const disk = (name: string) => ({
  name,
  path: `/images/${name}`,
  sourcePath: `/images/${name}`,
  sourceFormat: 'raw',
});

test.each([
  [
    ['vda', 'vdb'],
    [undefined, undefined],
    ['vda', 'vdb'],
  ],
  [
    ['drive0', 'drive1'],
    ['vda', undefined],
    ['vda', 'drive1'],
  ],
  [
    ['vda', 'vdb'],
    ['vdb', 'vda'],
    ['vdb', 'vda'],
  ],
  [
    ['vda', 'vdb'],
    ['vdb', undefined],
    ['vdb', 'disk2-2'],
  ],
  [
    ['vda', 'vdb', 'vdc'],
    [undefined, undefined, 'vda'],
    ['disk1-2', 'vdb', 'vda'],
  ],
])('disks %j that a guest calls %j are stored as %j', (own, found, stored) => {
  expect(withNames(own.map(disk), found).map(({ name }) => name)).toEqual(stored);
});
