// pars hook libvirt DOMAIN OPERATION SUB-OPERATION EXTRA: as libvirt calls /etc/libvirt/hooks/qemu.
//
// libvirt waits for it, with the domain locked, and a failure would be the VM's. So it does what takes a moment, starts
// the rest in the background, and always ends well.
import type { Command } from 'commander';
import { messageOf } from '../../flow/message-of.js';
import { defaultSaveFolder, handOver, handOverOperation } from '../../hook/libvirt/hand-over.js';
import { startInBackground } from '../../hook/send/start-flush.js';
import { exitCodes } from '../shared/exit-code.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions, openHook } from './open.js';

export interface HookLibvirtOptions extends HookOptions {
  /** Where libvirt keeps managed saves. */
  readonly saveFolder?: string;
}

export function configure(command: Command): void {
  command
    .argument(
      '<words...>',
      'what libvirt calls its hook with: DOMAIN OPERATION SUB-OPERATION EXTRA',
    )
    .addOption(configOption())
    .option(
      '--save-folder <dir>',
      'where libvirt keeps managed saves (default: /var/lib/libvirt/qemu/save)',
    )
    .action((words: readonly string[], options: HookLibvirtOptions) =>
      runCommand(options, (context) => hookLibvirtCommand(words, options, context)),
    );
}

export async function hookLibvirtCommand(
  [domain = '', operation]: readonly string[],
  options: HookLibvirtOptions,
  context: CommandContext,
): Promise<number> {
  if (operation !== handOverOperation) {
    return exitCodes.ok;
  }
  try {
    // First of all, and without the configuration: libvirt removes the file at the VM's next start.
    const paths = handOver(domain, options.saveFolder ?? defaultSaveFolder);
    if (paths.length > 0) {
      const { pars, config, spool, log } = await openHook(options, context);
      const command = ['hook', 'libvirt-save', '--handed-over', '--config', config.path, '--'];
      startInBackground([...pars, ...command, ...paths], spool.paths.log, (error) => {
        log.error('cannot start taking a managed save', { domain, error: error.message });
      });
    }
  } catch (error) {
    context.warn(
      `the managed save of ${domain} is not taken now, but at the next one: ${messageOf(error)}`,
    );
  }
  return exitCodes.ok;
}
