// The command line with every command loaded, as no run of it has it.
import { Command } from 'commander';
import { commands } from '../../src/cli/commands.js';
import { hookCommands } from '../../src/cli/hook/commands.js';
import type { CommandEntry } from '../../src/cli/shared/command-table.js';

export interface WholeCommand {
  readonly entry: CommandEntry;
  readonly command: Command;
}

/** The commands of `pars`, and then those of `pars hook`. */
export async function loadWholeProgram(): Promise<readonly WholeCommand[]> {
  const whole: WholeCommand[] = [];
  for (const entry of [...commands, ...hookCommands]) {
    const command = new Command(entry.form.split(' ')[0]);
    await (await entry.load()).configure(command, []);
    whole.push({ entry, command });
  }
  return whole;
}
