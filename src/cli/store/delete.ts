// pars delete ID: the manifest first, then the files that no other snapshot names.
import type { Command } from 'commander';
import { resolveId } from '../../catalog/catalog.js';
import { deleteSnapshot } from '../../catalog/delete-snapshots.js';
import { openStore } from '../../store/open-store.js';
import { exitCodes } from '../shared/exit-code.js';
import { jsonOption, snapshotMeaning } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';

export interface DeleteOptions extends CommonOptions {
  readonly store: string;
}

export function configure(command: Command): void {
  command
    .argument('<id>', snapshotMeaning)
    .addOption(storeOption().makeOptionMandatory())
    .addOption(jsonOption())
    .action((id: string, options: DeleteOptions) =>
      runCommand(options, (context) => deleteCommand(id, options, context)),
    );
}

export async function deleteCommand(
  prefix: string,
  options: DeleteOptions,
  { print }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const id = await resolveId(store, prefix);
    const { removed, kept } = await deleteSnapshot(store, id);
    print(
      { id, removed, kept },
      () =>
        `deleted ${id}: ${removed.length} files removed` +
        (kept.length > 0 ? `, ${kept.length} kept for other snapshots` : ''),
    );
    return exitCodes.ok;
  } finally {
    await store.close();
  }
}
