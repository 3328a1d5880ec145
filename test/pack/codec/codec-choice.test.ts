import { codecForm, parseCodecChoice } from '../../../src/pack/codec/codec-choice.js';

test.each([
  ['auto', 'auto'],
  ['raw', 'raw'],
  ['lz4', 'lz4'],
  ['zstd', 'zstd:3'],
  ['zstd:1', 'zstd:1'],
  ['zstd:19', 'zstd:19'],
])('%s is %s', (text, choice) => {
  expect(parseCodecChoice(text)).toBe(choice);
});

test.each([
  '',
  'gzip',
  'ZSTD',
  'zstd:',
  'zstd:0',
  'zstd:20',
  'zstd:3.5',
  'zstd:-1',
  'zstd:03',
  'zstd: 3',
  'lz4:1',
])('%j is no codec', (text) => {
  expect(parseCodecChoice(text)).toBeUndefined();
  expect(codecForm).toContain('from 1 to 19');
});
