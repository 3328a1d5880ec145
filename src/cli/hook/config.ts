// pars config check: what the hook commands would work with, or what is wrong with it.
import { access, constants } from 'node:fs/promises';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { ParsError } from '../../../introspect/pars-error.js';
import { messageOf } from '../../flow/message-of.js';
import { readConfig } from '../../hook/config.js';
import { redact } from '../../hook/observe/redact.js';
import { makeSpoolFolders } from '../../spool/layout.js';
import { storeKindOf } from '../../store/kinds.js';
import { exitCodes } from '../shared/exit-code.js';
import { jsonOption } from '../shared/options/common.js';
import { readPolicy } from '../shared/options/read-policy.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions } from './open.js';

export function configure(config: Command): void {
  config
    .command('check')
    .description('print the configuration in force, or what is wrong with it')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: HookOptions) =>
      runCommand(options, (context) => configCheckCommand(options, context)),
    );
}

/** Every problem is one of the configuration: exit code `usage`. */
export async function configCheckCommand(
  options: HookOptions,
  { print }: CommandContext,
): Promise<number> {
  const config = await readConfig(options.config);
  try {
    storeKindOf(config.store).checkUrl(config.store);
    for (const policy of [config.policy, ...Object.values(config.vms).map((vm) => vm.policy)]) {
      await readPolicy(policy === undefined ? {} : { policy });
    }
    const { root } = makeSpoolFolders(config.spool.path);
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ParsError('usage', redact(`the configuration ${config.path}: ${messageOf(error)}`), {
      cause: error,
    });
  }
  // The secrets of all values at once, as they may stand in any of them.
  const shown = JSON.parse(redact(JSON.stringify(config))) as unknown;
  print(shown, () => stringify(shown).trimEnd().split('\n'));
  return exitCodes.ok;
}
