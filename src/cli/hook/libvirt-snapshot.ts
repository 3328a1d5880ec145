// pars hook libvirt-snapshot DOMAIN: a snapshot of a running VM of libvirt into the spool, and has it sent.
import type { Command } from 'commander';
import { messageOf } from '../../flow/message-of.js';
import { snapshotDomain } from '../../hook/libvirt/snapshot-domain.js';
import { flush } from '../../hook/send/flush.js';
import { startFlush } from '../../hook/send/start-flush.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { jsonOption } from '../shared/options/common.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { exitCodeOfFlush, flushAnswer, flushSentence } from './flush.js';
import { configOption, type HookOptions, openHook } from './open.js';

export interface HookLibvirtSnapshotOptions extends HookOptions {
  /** Send before returning. */
  readonly wait?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<domain>', 'its name, as virsh list has it')
    .addOption(configOption())
    .option('--wait', 'send it before returning (default: in the background)')
    .addOption(jsonOption())
    .action((domain: string, options: HookLibvirtSnapshotOptions) =>
      runCommand(options, (context) => hookLibvirtSnapshotCommand(domain, options, context)),
    );
}

export async function hookLibvirtSnapshotCommand(
  domainWord: string,
  options: HookLibvirtSnapshotOptions,
  context: CommandContext,
): Promise<number> {
  const hook = await openHook(options, context);
  const { vm, entry, isBack } = await snapshotDomain(hook, domainWord).catch(
    async (error: unknown) => {
      hook.log.error('no snapshot of the VM was taken', {
        vm: domainWord,
        error: messageOf(error),
      });
      await hook.metrics.failed(domainWord);
      throw error;
    },
  );
  await hook.metrics.write();
  if (options.wait !== true) {
    startFlush(hook);
    context.print({ vm, entry, isBack }, () => `the snapshot of ${vm} is in the spool`);
    return isBack ? exitCodes.ok : exitCodeOfError.unavailable;
  }
  const flushed = await flush(hook, { retryFailed: false, waitForVm: vm });
  context.print(
    { vm, entry, isBack, ...flushAnswer(flushed) },
    () => `the snapshot of ${vm} is in the spool; ${flushSentence(flushed)}`,
  );
  const exitCode = exitCodeOfFlush(flushed, context.signal);
  return exitCode === exitCodes.ok && !isBack ? exitCodeOfError.unavailable : exitCode;
}
