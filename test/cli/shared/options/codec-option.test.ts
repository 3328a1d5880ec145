import { Command, CommanderError } from 'commander';
import { codecOption } from '../../../../src/cli/shared/options/codec-option.js';

function parsed(...words: string[]): unknown {
  const command = new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .addOption(codecOption());
  return command.parse(words, { from: 'user' }).opts()['codec'];
}

test('it is what was asked for, zstd at its usual level, and auto where nothing was', () => {
  expect(parsed()).toBe('auto');
  expect(parsed('--codec', 'zstd')).toBe('zstd:3');
  expect(parsed('--codec', 'zstd:9')).toBe('zstd:9');
  expect(parsed('--codec=raw')).toBe('raw');
});

test('what is no codec is refused, with what there is', () => {
  expect(() => parsed('--codec', 'gzip')).toThrow(CommanderError);
  expect(() => parsed('--codec', 'zstd:20')).toThrow(
    /'zstd:20' is invalid. expected auto, raw, lz4, zstd or zstd:LEVEL, a level from 1 to 19/,
  );
});
