// What the tables of commands say stands for files that are not loaded, so it must be what those say.
import { Command, Help } from 'commander';
import { addCommands, type CommandEntry } from '../../../src/cli/shared/command-table.js';
import { loadWholeProgram } from '../whole-program.js';

test('help lists each command as its own file has it', async () => {
  const whole = await loadWholeProgram();
  expect(whole.length).toBeGreaterThan(20);
  expect(whole.map(({ entry }) => entry.form)).toEqual(
    whole.map(({ command }) => new Help().subcommandTerm(command)),
  );
});

function entryOf(form: string, load: CommandEntry['load']): CommandEntry {
  return { form, description: `does ${form}`, load };
}

test('only the command that is named first is loaded, with what stands behind its name', async () => {
  const loaded: unknown[] = [];
  const entries = ['take', 'list'].map((name) =>
    entryOf(name, () =>
      Promise.resolve({
        configure: (command: Command, words: readonly string[]) => {
          loaded.push([command.name(), words]);
        },
      }),
    ),
  );
  await addCommands(new Command(), entries, ['help', 'list', '--name', 'take']);
  expect(loaded).toEqual([['list', ['--name', 'take']]]);
});

test('a file that cannot be loaded fails its command when that runs, whatever its words are', async () => {
  const broken = entryOf('take', () => Promise.reject(new Error('no such module')));
  const program = new Command();
  const begun: string[] = [];
  program.hook('preSubcommand', (_, command) => {
    begun.push(command.name());
  });
  await addCommands(program, [broken], ['take']);
  await expect(program.parseAsync(['take', 'a', '--b'], { from: 'user' })).rejects.toThrow(
    'no such module',
  );
  expect(begun).toEqual(['take']);
});
