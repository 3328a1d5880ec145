// What a person agrees to before a machine of a snapshot is started is there to be read, all of it.
import { confirmMachine } from '../../../src/cli/restore/confirm-machine.js';
import { flatLines } from '../../../src/text/standard-streams.js';
import { shortVisibleText } from '../../../src/text/visible-text.js';
import { commandLines } from '../../../src/vm/resume/resume-script.js';

const shownLength = 2 ** 15;

async function shownOf(command: readonly string[]): Promise<readonly string[]> {
  const shown: string[] = [];
  await confirmMachine(
    { command, findings: [], scriptPath: '/out/resume.sh' },
    { isTrusted: true, warn: (lines) => shown.push(...flatLines(lines)) },
  );
  return shown;
}

test('a command longer than a line is shown whole, on several lines', async () => {
  const program = 'qemu-system-x86_64';
  const long = `${'a'.repeat(50_000)}${'𝄞'.repeat(50_000)},opaque=/etc/shadow`;
  const command = commandLines({ program, options: [{ name: 'drive', value: long }] });
  const [sentence, first, ...rest] = await shownOf(command);
  expect(sentence).toContain('the snapshot says how its VM is started');
  expect(first).toBe(command[0]);
  expect(rest.join('')).toBe(command[1]);
  for (const line of rest) {
    expect(shortVisibleText(line, shownLength)).toBe(line);
  }
});

test('a character that nothing is shown for stands as bash reads it back', async () => {
  const command = commandLines({
    program: 'qemu',
    options: [{ name: 'name', value: 'a\u3164b\nc' }],
  });
  const [, ...shown] = await shownOf(command);
  expect(shown).toEqual(['  qemu', "  -name $'a\\xe3\\x85\\xa4b\\x0ac'"]);
});
