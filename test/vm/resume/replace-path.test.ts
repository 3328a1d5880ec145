import { parseReplacement, replacePaths } from '../../../src/vm/resume/replace-path.js';
import { thrownBy } from '../../introspect/memory/thrown-by.js';
import { optionsIn, wordsOf } from '../options-in.js';

const replace = (words: readonly string[], ...replacements: readonly string[]) =>
  wordsOf(replacePaths(optionsIn(...words), replacements.map(parseReplacement)));

test.each([
  [
    ['-kernel', '/old'],
    ['-kernel', '/n,ew'],
  ],
  [['/old'], ['/n,ew']],
  [
    ['-drive', 'file=/old,if=none'],
    ['-drive', 'file=/n,,ew,if=none'],
  ],
  [
    ['-blockdev', 'driver=raw,file.filename=/old'],
    ['-blockdev', 'driver=raw,file.filename=/n,,ew'],
  ],
  [
    ['-blockdev', '{"driver":"raw","file":{"filename":"/old","n":1}}'],
    ['-blockdev', '{"driver":"raw","file":{"filename":"/n,ew","n":1}}'],
  ],
  [
    ['-serial', 'file:/old'],
    ['-serial', 'file:/n,ew'],
  ],
  [
    ['-qmp', 'unix:/old,server=on'],
    ['-qmp', 'unix:/n,,ew,server=on'],
  ],
  [
    ['-drive', 'file=nbd+unix:/old'],
    ['-drive', 'file=nbd+unix:/n,,ew'],
  ],
  [
    ['-chardev', 'socket,id=a,path=/old', '-mon', 'chardev=a'],
    ['-chardev', 'socket,id=a,path=/n,,ew', '-mon', 'chardev=a'],
  ],
])('%j becomes %j', (before, after) => {
  expect(replace(before, '/old=/n,ew')).toEqual(after);
});

test('a path that is only part of a value stays, and so does what is said to the guest', () => {
  const words = ['-kernel', '/old', '-initrd', '/old.img', '-append', 'root=/old', '-name', '/old'];
  expect(replace(words, '/old=/new')).toEqual(['-kernel', '/new', ...words.slice(2)]);
});

test('replacements do not build on each other', () => {
  expect(replace(['-kernel', '/a', '-initrd', '/b'], '/a=/b', '/b=/a')).toEqual([
    ...['-kernel', '/b', '-initrd', '/a'],
  ]);
});

test('a path that occurs nowhere is refused with those that do', () => {
  const error = thrownBy(() => replace(['-m', '1G', '-kernel', '/boot/k'], '/old=/new'));
  expect(error.code).toBe('usage');
  expect(error.message).toMatch(/--replace \/old: .* names \/boot\/k$/);
  expect(thrownBy(() => replace(['-m', '1G'], '/old=/new')).message).toMatch(/names none$/);
});

test('a path that is given twice is refused, as is what is no replacement', () => {
  expect(thrownBy(() => replace(['/a'], '/a=/b', '/a=/c')).message).toMatch(/names \/a twice/);
  for (const text of ['', '/a', '=/b', '/a=']) {
    expect(thrownBy(() => parseReplacement(text)).message).toMatch(/expected OLD=NEW/);
  }
  expect(parseReplacement('/a=/b=c')).toEqual({ oldPath: '/a', newPath: '/b=c' });
});
