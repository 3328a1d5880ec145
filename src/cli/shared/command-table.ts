// Commands by name. Each has a file of its own, which is loaded only when the command line names it: help and errors are
// there at once, and a command waits for nothing but what it needs.
import { type Command, Help } from 'commander';

export interface CommandEntry {
  /** As help lists it: the name, and what it takes. */
  readonly form: string;
  readonly description: string;
  readonly load: () => Promise<CommandFile>;
}

interface CommandFile {
  /** Gives the command its options and its action. `words`: what the command line has behind its name. */
  readonly configure: (command: Command, words: readonly string[]) => void | Promise<void>;
}

/** Whole is only the command that `words` name first: it runs, or its help is shown. Of the others the name is known. */
export async function addCommands(
  group: Command,
  entries: readonly CommandEntry[],
  words: readonly string[],
): Promise<void> {
  const byName = new Map(entries.map((entry) => [entry.form.split(' ')[0], entry]));
  group.configureHelp({
    subcommandTerm: (command) =>
      byName.get(command.name())?.form ?? new Help().subcommandTerm(command),
  });
  const named = words.findIndex((word) => byName.has(word));
  for (const [name, { description, load }] of byName) {
    const command = group.command(name).description(description);
    if (name === words[named]) {
      await load()
        .then((file) => file.configure(command, words.slice(named + 1)))
        .catch((error: unknown) => {
          failWhenRun(command, error);
        });
    }
  }
}

/** Not at once: a command that promises to end well has said so once it runs, and a word may name none. */
function failWhenRun(command: Command, error: unknown): void {
  command
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw error;
    });
}
