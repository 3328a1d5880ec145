// pars disks: what each disk of a local store says, and what a person decides where they do not agree.
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { lastingKinds, storeKindOf } from '../../store/kinds.js';
import type { DiskCare } from '../../store/local/disk-care.js';
import { eitherOf } from '../../text/either-of.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { formatTable } from '../shared/format.js';
import { jsonOption } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';

export interface DisksOptions extends CommonOptions {
  readonly store: string;
  readonly trust?: string;
  readonly keepAll?: boolean;
  readonly bringBack?: boolean;
}

export function configure(command: Command): void {
  command
    .addOption(storeOption().makeOptionMandatory())
    .option(
      '--trust <dir>',
      'the names on this disk count from now on; what the other disks have more is set aside there for 30 days',
    )
    .option('--keep-all', 'with --trust: what the other disks have more is taken over instead')
    .option('--bring-back', 'give back what was set aside, where its name is free')
    .addOption(jsonOption())
    .action((options: DisksOptions) =>
      runCommand(options, (context) => disksCommand(options, context)),
    );
}

export async function disksCommand(
  options: DisksOptions,
  { print, warn }: CommandContext,
): Promise<number> {
  const { store, trust, keepAll = false } = options;
  if (keepAll && trust === undefined) {
    throw new ParsError('usage', '--keep-all says what is done at --trust DIR; give both');
  }
  if (options.bringBack === true && trust !== undefined) {
    throw new ParsError('usage', '--bring-back and --trust are two steps; settle the disks first');
  }
  const { bringBack, inspectDisks, settleDisks } = await diskCareOf(store);
  if (trust !== undefined) {
    const settlement = await settleDisks(store, trust, { keepsAll: keepAll });
    print(settlement, () => [
      `the names on ${trust} are the store's now`,
      ...settlement.takenOver.map((name) => `taken over: ${name}`),
      ...settlement.setAside.map(({ folder, name }) => `set aside on ${folder}: ${name}`),
    ]);
    return exitCodes.ok;
  }
  if (options.bringBack === true) {
    const result = await bringBack(store);
    print(result, () => [
      `${result.broughtBack.length} names are back`,
      ...result.taken.map((name) => `stays set aside, as the name is taken: ${name}`),
    ]);
    return exitCodes.ok;
  }
  const { disks, doubt } = await inspectDisks(store);
  print({ disks, doubt: doubt?.message ?? null }, () =>
    formatTable(
      ['folder', 'disk', 'state', 'epoch', 'names', 'set aside'],
      disks.map(({ folder, diskNumber, state, epoch, nameCount, setAsideCount }) => [
        folder,
        text(diskNumber),
        state,
        text(epoch),
        text(nameCount),
        text(setAsideCount),
      ]),
      ['left', 'right', 'left', 'right', 'right', 'right'],
    ),
  );
  if (doubt === undefined) {
    return exitCodes.ok;
  }
  warn(doubt.message);
  return exitCodeOfError[doubt.code];
}

/** Throws `usage` for a store that has no disks on this machine. */
async function diskCareOf(store: string): Promise<DiskCare> {
  const { disks, schemes } = storeKindOf(store);
  if (disks === undefined) {
    const withDisks = lastingKinds.filter((kind) => kind.disks !== undefined);
    throw new ParsError(
      'usage',
      `expected a store on disks of this machine, ${withDisks.map(({ urlForms }) => urlForms).join(', or ')}; ` +
        `found one by ${eitherOf(schemes.map((scheme) => `${scheme}:`))}`,
    );
  }
  return await disks();
}

function text(count: number | undefined): string {
  return count === undefined ? '' : String(count);
}
