// pars init: makes a store ready. Only disks that are listed one by one need it: an empty folder may be the mount point
// of a disk that is not mounted, so nobody takes it for a new disk unless told.
import type { Command } from 'commander';
import { openStore } from '../../store/open-store.js';
import { exitCodes } from '../shared/exit-code.js';
import { jsonOption } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';

export interface InitOptions extends CommonOptions {
  readonly store: string;
}

export function configure(command: Command): void {
  command
    .addOption(storeOption().makeOptionMandatory())
    .addOption(jsonOption())
    .action((options: InitOptions) =>
      runCommand(options, (context) => initCommand(options, context)),
    );
}

export async function initCommand(
  options: InitOptions,
  { print }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { initialiseDisks: true } });
  try {
    print({ store: store.url }, () => `${store.url} is ready`);
    return exitCodes.ok;
  } finally {
    await store.close();
  }
}
