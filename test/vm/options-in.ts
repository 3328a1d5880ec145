// Options as tests write them: `-name value` by `-name value`.
import { optionWords, parseQemuCommand, type QemuOption } from '../../src/vm/qemu/qemu-command.js';

export function optionsIn(...words: readonly string[]): readonly QemuOption[] {
  return parseQemuCommand(Buffer.from(JSON.stringify(['qemu', ...words])), 'test').options;
}

export function wordsOf(options: readonly QemuOption[]): readonly string[] {
  return options.flatMap(optionWords);
}
