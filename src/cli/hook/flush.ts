// pars hook flush: sends what waits in the spool.
import type { Command } from 'commander';
import { flush, type FlushResult } from '../../hook/send/flush.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { jsonOption } from '../shared/options/common.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions, openHook } from './open.js';

export interface HookFlushOptions extends HookOptions {
  readonly retryFailed?: boolean;
}

export function configure(command: Command): void {
  command
    .addOption(configOption())
    .option('--retry-failed', 'also what failed for another reason than the store being away')
    .addOption(jsonOption())
    .action((options: HookFlushOptions) =>
      runCommand(options, (context) => hookFlushCommand(options, context)),
    );
}

export async function hookFlushCommand(
  options: HookFlushOptions,
  context: CommandContext,
): Promise<number> {
  const hook = await openHook(options, context);
  const result = await flush(hook, { retryFailed: options.retryFailed === true });
  context.print(flushAnswer(result), () => flushSentence(result));
  return exitCodeOfFlush(result, context.signal);
}

/** A failure that stays comes before one that goes with time. */
export function exitCodeOfFlush(
  { remaining, unreadable, retentionExitCode }: FlushResult,
  signal: AbortSignal,
): number {
  if (signal.aborted) {
    return exitCodeOfError.cancelled;
  }
  const failed = remaining.find(({ attempts }) => attempts.state === 'failed');
  if (failed !== undefined) {
    return failed.attempts.lastError?.exitCode ?? exitCodes.internal;
  }
  if (unreadable.length > 0) {
    return exitCodeOfError[unreadable[0].error.code];
  }
  return remaining.length > 0 ? exitCodeOfError.unavailable : (retentionExitCode ?? exitCodes.ok);
}

export function flushAnswer({ sentCount, remaining, busyCount, unreadable }: FlushResult) {
  return {
    sentCount,
    remainingCount: remaining.length,
    busyCount,
    unreadableCount: unreadable.length,
  };
}

export function flushSentence({
  sentCount,
  remaining,
  busyCount,
  unreadable,
}: FlushResult): string {
  const failedCount = remaining.filter(({ attempts }) => attempts.state === 'failed').length;
  const rest = [
    `${remaining.length} left in the spool`,
    ...(failedCount === 0 ? [] : [`${failedCount} of them failed`]),
    ...(busyCount === 0 ? [] : [`${busyCount} of them left to another process that is sending`]),
    ...(unreadable.length === 0 ? [] : [`${unreadable.length} unreadable`]),
  ];
  return `${sentCount} sent, ${rest.join(', ')}`;
}
