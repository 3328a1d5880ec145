// The command line of `pars hook` and `pars config`, for main.ts. Only commander's own types are known here: a command
// loads what it needs.
import type { Command, Option } from 'commander';
import type { HookDirOptions } from './dir.js';
import type { HookFlushOptions } from './flush.js';
import type { HookOptions } from './open.js';
import type { HookRunOptions } from './run.js';
import type { CommandContext, CommonOptions } from '../shared/run-command.js';

export type RunCommand = (
  options: CommonOptions,
  command: (context: CommandContext) => Promise<number>,
) => Promise<void>;

const configMeaning = 'pars.yaml (default: PARS_CONFIG, else /etc/pars/pars.yaml)';

/** The group `hook`, for commands that stand elsewhere. */
export function addHookCommands(
  program: Command,
  run: RunCommand,
  jsonOption: () => Option,
): Command {
  const hook = program
    .command('hook')
    .description('for schedulers and hypervisors: take snapshots into a spool, and send them');

  hook
    .command('run')
    .description(
      'take one snapshot: a running VM through its QMP socket, or files named by PARS_* variables or JSON on standard input',
    )
    .option('--config <file>', configMeaning)
    .option(
      '--vm <name>',
      'what the VM is called; alone: captured through the socket that is configured for it',
    )
    .option('--wait', 'send it before returning (default: in the background)')
    .addOption(jsonOption())
    .action((options: HookRunOptions) =>
      run(options, async (context) => (await import('./run.js')).hookRunCommand(options, context)),
    );

  hook
    .command('dir')
    .description('take each complete snapshot in a folder; the files stay')
    .argument('<dir>', 'the folder that snapshots appear in')
    .option('--config <file>', configMeaning)
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
      run(options, async (context) =>
        (await import('./dir.js')).hookDirCommand(folder, options, context),
      ),
    );

  hook
    .command('flush')
    .description('send what waits in the spool, oldest first')
    .option('--config <file>', configMeaning)
    .option('--retry-failed', 'also what failed for another reason than the store being away')
    .addOption(jsonOption())
    .action((options: HookFlushOptions) =>
      run(options, async (context) =>
        (await import('./flush.js')).hookFlushCommand(options, context),
      ),
    );

  hook
    .command('list')
    .description('list what waits in the spool')
    .option('--config <file>', configMeaning)
    .addOption(jsonOption())
    .action((options: HookOptions) =>
      run(options, async (context) =>
        (await import('./list.js')).hookListCommand(options, context),
      ),
    );

  program
    .command('config')
    .description('the configuration of the hook commands')
    .command('check')
    .description('print the configuration in force, or what is wrong with it')
    .option('--config <file>', configMeaning)
    .addOption(jsonOption())
    .action((options: HookOptions) =>
      run(options, async (context) =>
        (await import('./config.js')).configCheckCommand(options, context),
      ),
    );
  return hook;
}
