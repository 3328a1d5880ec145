// `--codec`: what pages are packed by on their way into a store.
import { InvalidArgumentError, Option } from 'commander';
import { type CodecChoice, codecForm, parseCodecChoice } from '../../../pack/codec/codec-choice.js';

/** The option, whose value is a CodecChoice. */
export function codecOption(): Option {
  return new Option(
    '--codec <name>',
    'what pages are packed by: raw, lz4, zstd, zstd:LEVEL from 1 to 19, or auto: whichever keeps both threads and store busy',
  )
    .argParser(codecChoice)
    .default('auto');
}

function codecChoice(text: string): CodecChoice {
  const choice = parseCodecChoice(text);
  if (choice === undefined) {
    throw new InvalidArgumentError(`expected ${codecForm}`);
  }
  return choice;
}
