// Which names a VM may have: every text but what no file or line could hold.
import fc from 'fast-check';
import { packName } from '../../src/catalog/names.js';
import { vmNameProblem } from '../../src/manifest/vm-name.js';
import { smallManifest } from '../catalog/small-snapshot.js';
import { readBack, written } from './written.js';

const id = '1000000000000001';
const composed = 'caf\u00e9';

test.each([
  'web',
  '数据库',
  'a b',
  ' a',
  '.hidden',
  '-x',
  composed,
  composed.normalize('NFD'),
  '👩‍💻',
  'x'.repeat(255),
])('%s is a name', (name) => {
  expect(vmNameProblem(name)).toBeUndefined();
});

test.each([
  ['', 'it is empty'],
  [' \u3000', 'it is empty'],
  ['a\nb', 'it holds a control character'],
  ['a\u2028b', 'it holds a control character'],
  ['a\0', 'it holds a control character'],
  ['a/b', 'it holds a "/"'],
  ['..', 'it stands for a folder'],
  ['\ud800', 'it is not UTF-8'],
  ['db\ufffd', 'it is not UTF-8'],
  ['数'.repeat(86), 'it has 258 bytes'],
])('%j is none: %s', (name, problem) => {
  expect(vmNameProblem(name)).toBe(problem);
});

test('a manifest gives every name back letter for letter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (vm) => {
      fc.pre(vmNameProblem(vm) === undefined);
      const { header, ...rest } = smallManifest({ id, packs: [packName(id, 0)] });
      const read = readBack(written({ ...rest, header: { ...header, vm } }));
      expect(read.header.vm).toBe(vm);
    }),
  );
});
