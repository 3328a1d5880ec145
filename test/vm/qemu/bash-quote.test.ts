import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { bashQuote } from '../../../src/vm/qemu/bash-quote.js';

test('common words stay readable', () => {
  expect(bashQuote('-device')).toBe('-device');
  expect(bashQuote('q35,memory-backend=ram0')).toBe('q35,memory-backend=ram0');
  expect(bashQuote('a b')).toBe("'a b'");
  expect(bashQuote('')).toBe("''");
});

test('bash reads any words back as they were', () => {
  const special = Array.from(' \'"\\$`!*?[]{}()<>|&;#~^\n\r\t=,-').concat([
    'é',
    '𝄞',
    '\x7f',
    'a',
    '$(x)',
  ]);
  const words = fc.array(fc.string({ unit: fc.constantFrom(...special) }), { minLength: 1 });
  fc.assert(
    fc.property(words, (all) => {
      const script = `words=(\n${all.map(bashQuote).join('\n')}\n)\nprintf '%s\\0' "\${words[@]}"`;
      expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\0')).toEqual([
        ...all,
        '',
      ]);
    }),
    { numRuns: 50 },
  );
});
