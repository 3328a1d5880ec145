// pars hook libvirt-save FILE...: files of `virsh save` into the spool, with the VM's disks where they are of the same
// moment.
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { messageOf } from '../../flow/message-of.js';
import type { HookContext } from '../../hook/hook-context.js';
import { spoolSave } from '../../hook/libvirt/spool-save.js';
import { takeHandedOver } from '../../hook/libvirt/take-handed-over.js';
import { startFlush } from '../../hook/send/start-flush.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { jsonOption } from '../shared/options/common.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions, openHook } from './open.js';

export interface HookLibvirtSaveOptions extends HookOptions {
  readonly vm?: string;
  /** Set by `pars hook libvirt`: the files are linked, and removed once they are in the spool. */
  readonly handedOver?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<files...>', 'files of virsh save')
    .addOption(configOption())
    .option('--vm <name>', 'what the VM is called (default: as the file says)')
    .option('--handed-over', 'files that `pars hook libvirt` left: removed once they are taken')
    .addOption(jsonOption())
    .action((files: readonly string[], options: HookLibvirtSaveOptions) =>
      runCommand(options, (context) => hookLibvirtSaveCommand(files, options, context)),
    );
}

export async function hookLibvirtSaveCommand(
  paths: readonly string[],
  options: HookLibvirtSaveOptions,
  context: CommandContext,
): Promise<number> {
  const { vm } = options;
  if (vm !== undefined) {
    expectVmName(vm, 'give another with --vm');
    if (paths.length > 1) {
      throw new ParsError(
        'usage',
        `--vm names one VM: expected one file, found ${paths.length}; call the command once for each`,
      );
    }
  }
  const hook = await openHook(options, context);
  try {
    if (options.handedOver === true) {
      const error = await takeHandedOver(hook, paths);
      return error === undefined ? exitCodes.ok : exitCodeOfError[error.code];
    }
    const results: { readonly path: string; readonly result: 'spooled' | 'known' }[] = [];
    for (const path of paths) {
      results.push({ path, result: await take(hook, path, vm) });
    }
    context.print(results, () =>
      results.map(
        ({ path, result }) =>
          `${path} ${result === 'known' ? 'is known already' : 'is in the spool'}`,
      ),
    );
    return exitCodes.ok;
  } finally {
    await hook.metrics.write();
    startFlush(hook);
  }
}

async function take(hook: HookContext, path: string, vm: string | undefined) {
  try {
    return await spoolSave(hook, { path, vm, link: false });
  } catch (error) {
    hook.log.error('a saved VM could not be taken into the spool', {
      path,
      error: messageOf(error),
    });
    throw error;
  }
}
