// What stands for a VM in the names of a spool's files: a part of a path, and of one VM alone.
import fc from 'fast-check';
import {
  entryName,
  entryOfPart,
  partFolderName,
  vmPartOfEntry,
  vmPathPart,
} from '../../src/spool/layout.js';

const identity = '0123456789abcdef';
const anyName = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 });

test('a plain name stands for itself, as it always did', () => {
  expect(entryName('web-01.prod', identity)).toBe(`web-01.prod.${identity}`);
});

test('two names never have one part, whatever they are', () => {
  fc.assert(
    fc.property(anyName, anyName, (one, other) => {
      expect(vmPathPart(one) === vmPathPart(other)).toBe(one === other);
    }),
  );
  const word = 'caf\u00e9';
  expect(vmPathPart(word)).not.toBe(vmPathPart(word.normalize('NFD')));
  const hashed = vmPathPart('数据库');
  expect(vmPathPart(hashed)).not.toBe(hashed);
});

test('every name gives a part of a path that fits, and is known again in the names of its folders', () => {
  fc.assert(
    fc.property(anyName, (vm) => {
      const entry = entryName(vm, identity);
      expect(entry).toMatch(/^[@A-Za-z0-9_-][A-Za-z0-9._-]{1,200}$/);
      expect(vmPartOfEntry(entry)).toBe(vmPathPart(vm));
      expect(entryOfPart(partFolderName(entry))).toBe(entry);
    }),
  );
});
