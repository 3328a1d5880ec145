// pars hook run: takes one snapshot into the spool, and has it sent.
import type { Command } from 'commander';
import { messageOf } from '../../flow/message-of.js';
import type { HookContext } from '../../hook/hook-context.js';
import { flush } from '../../hook/send/flush.js';
import { startFlush } from '../../hook/send/start-flush.js';
import { captureIntoSpool } from '../../hook/take/capture-into-spool.js';
import { offerSnapshot } from '../../hook/take/offer.js';
import { type HookRequest, readHookRequest } from '../../hook/take/offered-input.js';
import { hostIdentity } from '../../vm/vm-identity.js';
import { exitCodes } from '../shared/exit-code.js';
import { jsonOption } from '../shared/options/common.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { exitCodeOfFlush, flushAnswer, flushSentence } from './flush.js';
import { configOption, type HookOptions, openHook } from './open.js';
import { readStandardInput } from './standard-input.js';

export interface HookRunOptions extends HookOptions {
  readonly vm?: string;
  /** Send before returning. */
  readonly wait?: boolean;
}

export function configure(command: Command): void {
  command
    .addOption(configOption())
    .option(
      '--vm <name>',
      'what the VM is called; alone: captured through the socket that is configured for it',
    )
    .option('--wait', 'send it before returning (default: in the background)')
    .addOption(jsonOption())
    .action((options: HookRunOptions) =>
      runCommand(options, (context) => hookRunCommand(options, context)),
    );
}

export async function hookRunCommand(
  options: HookRunOptions,
  context: CommandContext,
): Promise<number> {
  const hook = await openHook(options, context);
  const request = await readHookRequest(
    { vm: options.vm, environment: process.env, readInput: readStandardInput },
    hook.config,
  );
  const vm = request.kind === 'live' ? request.live.vm : request.offered.vm;
  const result = await takeIn(hook, request).catch(async (error: unknown) => {
    hook.log.error('a snapshot could not be taken into the spool', {
      vm,
      error: messageOf(error),
    });
    await hook.metrics.failed(vm);
    throw error;
  });
  const sentence = result === 'known' ? 'is known already' : 'is in the spool';
  if (options.wait !== true) {
    startFlush(hook);
    context.print({ vm, result }, () => `the snapshot of ${vm} ${sentence}`);
    return exitCodes.ok;
  }
  const flushed = await flush(hook, { retryFailed: false, waitForVm: vm });
  context.print(
    { vm, result, ...flushAnswer(flushed) },
    () => `the snapshot of ${vm} ${sentence}; ${flushSentence(flushed)}`,
  );
  return exitCodeOfFlush(flushed, context.signal);
}

async function takeIn(hook: HookContext, request: HookRequest): Promise<'spooled' | 'known'> {
  try {
    if (request.kind === 'files') {
      // Of another host's VM with this name it is told apart by the host at least.
      return await offerSnapshot(hook, { identity: hostIdentity(), ...request.offered });
    }
    await captureIntoSpool(hook, request.live);
    return 'spooled';
  } finally {
    // What waits has changed, or the refusal is to be seen.
    await hook.metrics.write();
  }
}
