import { leaningWord } from './doc-words.js';

test.each([
  ['Of 512 bytes.', 'Of'],
  ['and of all disks.', 'and'],
  ['The same for disks.', 'The same'],
  ['As above, for disks.', 'As above'],
  ['Its bytes, at every call.', 'Its'],
  ['It was stopped.', 'It'],
  ['Those that are left.', 'Those'],
  ['Likewise.', 'Likewise'],
  ['... and of all disks.', '...'],
])('%s begins with %s', (text, word) => {
  expect(leaningWord(text)).toBe(word);
});

test.each([
  'The length in sectors of 512 bytes.',
  'Offsets ascend.',
  'Italic.',
  'Orders.',
  'The disks of the same moment.',
])('%s can be read alone', (text) => {
  expect(leaningWord(text)).toBeUndefined();
});
