import { execFileSync, spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import {
  maxMachineBytes,
  optionWords,
  parseQemuCommand,
} from '../../../src/vm/qemu/qemu-command.js';
import { thrownBy } from '../../introspect/memory/thrown-by.js';

const nulTerminated = (words: readonly string[]): Buffer =>
  Buffer.from(words.map((word) => `${word}\0`).join(''));

test('words that end in NUL bytes become options, flags without a value', () => {
  const words = ['/usr/bin/qemu', '-S', '-append', '-S', '--name', '', 'disk.img', '-s'];
  expect(parseQemuCommand(nulTerminated(words), 'x')).toEqual({
    program: '/usr/bin/qemu',
    options: [
      { name: 'S', value: undefined },
      { name: 'append', value: '-S' },
      { name: 'name', value: '' },
      { name: '', value: 'disk.img' },
      { name: 's', value: undefined },
    ],
  });
});

test('both forms say the same of any words', () => {
  const words = fc.array(
    fc.string({ unit: 'binary' }).map((word) => word.replaceAll('\0', '')),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(words, (rest) => {
      // A last option always has its value.
      const all = ['qemu', ...rest, 'end'];
      const command = parseQemuCommand(nulTerminated(all), 'x');
      expect(parseQemuCommand(Buffer.from(JSON.stringify(all)), 'x')).toEqual(command);
      expect([command.program, ...command.options.flatMap(optionWords)].join('\0')).toBe(
        all.map((word, index) => (index > 0 ? word.replace(/^--(?=[^-])/s, '-') : word)).join('\0'),
      );
    }),
  );
});

test.each([
  ['nothing', Buffer.alloc(0), /found nothing/],
  ['too much', Buffer.alloc(maxMachineBytes + 1, 'a'), /found more than 1048576 bytes/],
  ['a shell line', Buffer.from('qemu -m 1G'), /found text that begins "qemu -m 1G"/],
  ['a cut list', Buffer.from('qemu\0-m\x001'), /cut short/],
  ['other bytes', Buffer.of(0xff, 0), /no UTF-8/],
  ['an object', Buffer.from('{}'), /JSON of another kind/],
  ['an empty array', Buffer.from('[]'), /an empty array/],
  ['numbers', Buffer.from('["qemu", 1]'), /found 1 as element 1/],
  ['a NUL in a word', Buffer.from('["qemu", "\\u0000"]'), /NUL byte within element 1/],
  ['no program', Buffer.from('["", "-S"]'), /empty first word/],
  ['an option cut off', Buffer.from('["qemu", "-m"]'), /-m at the end/],
])('%s is refused with what was expected and found', (_what, bytes, message) => {
  const error = thrownBy(() => parseQemuCommand(bytes, '/some/file'));
  expect(error.code).toBe('usage');
  expect(error.message).toMatch(/^the machine \/some\/file: expected .*cmdline/);
  expect(error.message).toMatch(message);
});

test('QEMU says the same of which of its options take a value', () => {
  const help = execFileSync('qemu-system-x86_64', ['-help'], { encoding: 'utf8' });
  const names = new Set([...help.matchAll(/^ *-([a-z][\w-]*)/gim)].map((match) => match[1]));
  expect(names.size).toBeGreaterThan(100);
  for (const name of names) {
    const { options } = parseQemuCommand(nulTerminated(['qemu', `-${name}`, '-S']), 'x');
    const { stderr } = spawnSync('qemu-system-x86_64', ['-version', `-${name}`], {
      encoding: 'utf8',
    });
    expect([name, options.length]).toEqual([name, stderr.includes('requires an argument') ? 1 : 2]);
  }
});
