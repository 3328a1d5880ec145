// Which names in a folder may be snapshots, and what their VMs are called.
import fc from 'fast-check';
import {
  candidatesOf,
  type FolderItem,
  vmOfFile,
} from '../../../src/hook/folder/folder-candidates.js';

const files = (...names: readonly string[]): readonly FolderItem[] =>
  names.map((name) => ({ name, children: undefined }));

test('a state file belongs to the memory beside it and is none of its own', () => {
  const found = candidatesOf(
    files('fc.mem', 'fc.snap', 'web.ram', 'web.state', 'web.ram.map.json'),
  );
  expect(found.map(({ name, state, members }) => [name, state, members])).toEqual([
    ['fc.mem', 'fc.snap', ['fc.mem', 'fc.snap']],
    ['web.ram', 'web.state', ['web.ram', 'web.state', 'web.ram.map.json']],
  ]);
  expect(found.every(({ missing, mayBeFlat }) => missing === undefined && mayBeFlat)).toBe(true);
});

test('what is on its way under another name is not looked at', () => {
  expect(candidatesOf(files('a.part', 'b.raw.tmp', '.hidden', 'c.state'))).toEqual([]);
});

test("a memory file of Firecracker's is not whole without its state", () => {
  const [{ missing }] = candidatesOf(files('fc.mem'));
  expect(missing).toBe('the device state beside it, fc.state or fc.vmstate or fc.snap');
});

test("a folder is Cloud Hypervisor's, or nobody's", () => {
  const folder = (...children: readonly string[]): FolderItem => ({ name: 'ch', children });
  expect(candidatesOf([folder('notes')])).toEqual([]);
  expect(candidatesOf([folder('config.json', 'memory-ranges')])[0].missing).toBe('state.json');
  const [whole] = candidatesOf([folder('state.json', 'config.json', 'memory-ranges')]);
  expect(whole.missing).toBeUndefined();
  expect(whole.members).toEqual(['ch/config.json', 'ch/memory-ranges', 'ch/state.json']);
});

test.each([
  ['web.raw', 'web'],
  ['web 01 (old).save', 'web 01 (old)'],
  ['a.b.core', 'a.b'],
  ['db.1', 'db.1'],
  ['数据库.ram', '数据库'],
  ['ünï', 'ünï'],
  ['web', 'web'],
  ['.ram', '.ram'],
])('%s is a snapshot of %s', (name, vm) => {
  expect(vmOfFile(name)).toBe(vm);
});

test('files of one ending are of as many VMs as they have names', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
      expect(vmOfFile(`${one}.ram`) === vmOfFile(`${other}.ram`)).toBe(one === other);
    }),
  );
});
