// Figures as a reader sees them: nothing that is there reads as nothing.
import {
  bytesInWords,
  countInWords,
  countOf,
  percentInWords,
  priceInWords,
  probabilityInWords,
  secondsInWords,
  shareInWords,
  signed,
  timeInWords,
} from '../../src/report/words.js';

/** As on a keyboard. */
function plain(words: string): string {
  return words.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-');
}

test.each([
  [0, '0 B'],
  [1023, '1,023 B'],
  [1536, '1.5 KiB'],
  [2 ** 31, '2.0 GiB'],
  [-(2 ** 20), '-1.0 MiB'],
  [5e18, '4,440.9 PiB'],
])('%d bytes are %s', (sizeBytes, words) => {
  expect(plain(bytesInWords(sizeBytes))).toBe(words);
});

test.each([
  [0, '0 %'],
  [1, '100 %'],
  [0.99999, '> 99.9 %'],
  [0.4, '40.0 %'],
  [0.00123, '0.12 %'],
  [3.24e-8, '3.2 × 10⁻⁸'],
  [1e-12, '1.0 × 10⁻¹²'],
])('a probability of %d is %s', (probability, words) => {
  expect(plain(probabilityInWords(probability))).toBe(words);
});

test('percent, shares and differences', () => {
  expect(plain(percentInWords(0.5391))).toBe('53.9 %');
  expect(plain(percentInWords(-0.004))).toBe('-0.4 %');
  expect(plain(percentInWords(-0.00001))).toBe('0.0 %');
  expect(plain(shareInWords(1, 1e6))).toBe('< 0.1 %');
  expect(plain(shareInWords(0, 0))).toBe('0.0 %');
  expect(plain(signed(bytesInWords(2048), 2048))).toBe('+2.0 KiB');
  expect(plain(signed(bytesInWords(-2048), -2048))).toBe('-2.0 KiB');
});

test('counts, durations, moments and prices', () => {
  expect(countInWords(524288)).toBe('524,288');
  expect([countOf(1, 'page'), countOf(2, 'page')].map(plain)).toEqual(['1 page', '2 pages']);
  expect([0.0042, 3.21, 61, 600, 90_000].map(secondsInWords).map(plain)).toEqual([
    '4 ms',
    '3.2 s',
    '61 s',
    '10.0 min',
    '25.0 h',
  ]);
  expect(plain(timeInWords('2026-11-20T02:00:04.000Z'))).toBe('2026-11-20 02:00 UTC');
  expect(timeInWords('at some time')).toBe('at some time');
  expect([0, 0.0123, 12.5].map(priceInWords)).toEqual(['0.00', '0.012', '12.50']);
});
