// pars hook list: what waits in the spool, and why.
import type { Command } from 'commander';
import { listEntries } from '../../spool/entries.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { formatBytes, formatTable, formatTime } from '../shared/format.js';
import { jsonOption } from '../shared/options/common.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { configOption, type HookOptions, openHook } from './open.js';

export function configure(command: Command): void {
  command
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: HookOptions) =>
      runCommand(options, (context) => hookListCommand(options, context)),
    );
}

export async function hookListCommand(
  options: HookOptions,
  context: CommandContext,
): Promise<number> {
  const { spool } = await openHook(options, context);
  const { entries, unreadable } = await listEntries(spool);
  for (const { name, error } of unreadable) {
    context.warn(`the entry ${name} cannot be read: ${error.message}`);
  }
  context.print(
    entries.map(({ name, vm, createdMs, sizeBytes, attempts, captured }) => ({
      entry: name,
      vm,
      created: new Date(createdMs).toISOString(),
      sizeBytes,
      source: captured.source,
      state: attempts.state,
      attemptCount: attempts.count,
      next: attempts.nextMs === 0 ? null : new Date(attempts.nextMs).toISOString(),
      lastError: attempts.lastError?.message ?? null,
    })),
    () =>
      formatTable(
        ['vm', 'created', 'size', 'attempts', 'state', 'last error'],
        entries.map(({ vm, createdMs, sizeBytes, attempts }) => [
          vm,
          formatTime(createdMs),
          formatBytes(sizeBytes),
          `${attempts.count}`,
          attempts.state,
          attempts.lastError?.message.split('\n')[0] ?? '-',
        ]),
        ['left', 'left', 'right', 'right', 'left', 'left'],
      ),
  );
  return unreadable.length > 0 ? exitCodeOfError[unreadable[0].error.code] : exitCodes.ok;
}
