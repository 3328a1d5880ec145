// pars hook dir DIR: takes each complete snapshot in a folder into the spool, and has them sent.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { watchFolder } from '../../hook/folder/watch-folder.js';
import { startFlush } from '../../hook/send/start-flush.js';
import { vmNameProblem } from '../../manifest/vm-name.js';
import { durationForm, parseDuration } from '../../units/duration.js';
import { exitCodes } from '../shared/exit-code.js';
import { formatLines } from '../shared/format.js';
import { jsonOption } from '../shared/options/common.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions, openHook } from './open.js';

export interface HookDirOptions extends HookOptions {
  readonly watch?: boolean;
  readonly vm?: string;
  readonly names?: string;
  readonly settle?: string;
  readonly link?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<dir>', 'the folder that snapshots appear in')
    .addOption(configOption())
    .option('--watch', 'stay and take what appears, until SIGTERM')
    .option(
      '--vm <name>',
      'what the VM is called (default: told by each snapshot, else by its name)',
    )
    .option(
      '--names <pattern>',
      "which VMs' names are taken, such as web-*, whoever a file belongs to (default: any, of files of the folder's owner)",
    )
    .option('--settle <duration>', 'how long a file must not have changed', '5s')
    .option('--link', 'link files instead of copying them: nobody will write into them again')
    .addOption(jsonOption())
    .action((folder: string, options: HookDirOptions) =>
      runCommand(options, (context) => hookDirCommand(folder, options, context)),
    );
}

const defaultSettle = '5s';

/** `*` stands for any characters of a name, `?` for one. Throws `usage`. */
function namePattern(text: string): RegExp {
  if (vmNameProblem(text) !== undefined || /\*.*\*.*\*/.test(text)) {
    throw new ParsError(
      'usage',
      `--names: expected a name with * and ? in it, such as web-*, and at most two *; found ${JSON.stringify(text)}`,
    );
  }
  const source = text
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  // A character is one, however many units it takes.
  return new RegExp(`^${source}$`, 'u');
}

export async function hookDirCommand(
  folder: string,
  options: HookDirOptions,
  context: CommandContext,
): Promise<number> {
  const settleMs = parseDuration(options.settle ?? defaultSettle);
  if (settleMs === undefined) {
    throw new ParsError(
      'usage',
      `--settle: expected ${durationForm}, found ${JSON.stringify(options.settle)}`,
    );
  }
  if (options.vm !== undefined) {
    expectVmName(options.vm, 'give another with --vm');
  }
  const hook = await openHook(options, context);
  const { taken, left } = await watchFolder(hook, {
    folder: resolve(folder),
    vm: options.vm,
    names: options.names === undefined ? undefined : namePattern(options.names),
    settleMs,
    link: options.link === true,
    stay: options.watch === true,
    onTaken: () => {
      startFlush(hook);
    },
  });
  await hook.metrics.write();
  context.print({ taken, left }, () => [
    `${taken.length} snapshots taken into the spool`,
    ...(left.length === 0
      ? []
      : [
          'left in the folder:',
          formatLines(
            left.map(({ name, reason }) => [name, reason]),
            '  ',
          ),
        ]),
  ]);
  // What is left is not whole yet, or no snapshot; the next look tells.
  return exitCodes.ok;
}
