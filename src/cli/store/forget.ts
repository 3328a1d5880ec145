// pars forget: deletes the snapshots that a rule does not keep, oldest first.
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { listSnapshots, type SnapshotList } from '../../catalog/catalog.js';
import { prepareDeletions } from '../../catalog/delete-snapshots.js';
import {
  type KeepReason,
  planRetention,
  type RetentionDecision,
  type RetentionMoment,
  type RetentionRule,
} from '../../catalog/retention.js';
import { clashSentences } from '../../catalog/vm-identity.js';
import { openStore } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';
import type { Lines } from '../../text/standard-streams.js';
import { exitCodeOfUnreadable, expectAllReadable } from '../shared/exit-code.js';
import { formatTable, formatTime } from '../shared/format.js';
import { collect, jsonOption } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import {
  exitCodeOfRemovals,
  outcomeTexts,
  type Removal,
  type RemovalOutcome,
  removeInTurn,
  warnOfFailures,
} from './remove-in-turn.js';

/** Counts as they were typed. */
type TypedRule = Readonly<Partial<Record<keyof RetentionRule, string>>>;

export interface ForgetOptions extends CommonOptions, TypedRule {
  readonly store: string;
  /** VMs; all of the store unless given. */
  readonly name?: readonly string[];
  readonly dryRun?: boolean;
}

export function configure(command: Command): void {
  command
    .addOption(storeOption().makeOptionMandatory())
    .option('--name <vm>', 'a VM to go through (default: all); may be given again', collect)
    .option('--keep-last <n>', 'keep the last n snapshots')
    .option('--keep-hourly <n>', 'keep the newest of each of the last n hours that have a snapshot')
    .option('--keep-daily <n>', 'keep the newest of each of the last n days that have a snapshot')
    .option('--keep-weekly <n>', 'keep the newest of each of the last n weeks that have a snapshot')
    .option(
      '--keep-monthly <n>',
      'keep the newest of each of the last n months that have a snapshot',
    )
    .option('--dry-run', 'tell what would be kept and removed, and remove nothing')
    .addOption(jsonOption())
    .action((options: ForgetOptions) =>
      runCommand(options, (context) => forgetCommand(options, context)),
    );
}

const reasonTexts: Readonly<Record<KeepReason, string>> = {
  last: 'last snapshot',
  hourly: 'hourly snapshot',
  daily: 'daily snapshot',
  weekly: 'weekly snapshot',
  monthly: 'monthly snapshot',
  future: 'dated in the future',
};

export async function forgetCommand(
  options: ForgetOptions,
  { print, warn, signal }: CommandContext,
): Promise<number> {
  const rule = parseRule(options);
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const moment = { nowMs: Date.now(), timeZone };
  // Refuses a wrong rule before the store is asked for anything.
  planRetention([], rule, moment);
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const list = await listSnapshots(store, signal);
    for (const { id, error } of list.unreadable) {
      warn(`snapshot ${id} cannot be read: ${error.message}`);
    }
    const decisions = decide(list, options.name, rule, moment);
    clashSentences(decisions.map(({ snapshot }) => snapshot)).forEach(warn);
    for (const { snapshot, keptFor } of decisions) {
      if (keptFor.includes('future')) {
        warn(
          `snapshot ${snapshot.id} is dated in the future (${formatTime(snapshot.createdMs)}) and kept; ` +
            `check the clocks of this host and of the one that took it`,
        );
      }
    }
    const doomed = decisions.filter(({ keptFor }) => keptFor.length === 0);
    const removals = await forget(store, list, doomed, options.dryRun === true, signal);
    warnOfFailures(removals, 'snapshot', warn);
    const outcomes = new Map(removals.map(({ id, outcome }) => [id, outcome]));
    print(
      {
        dryRun: options.dryRun === true,
        timeZone,
        snapshots: decisions.map(({ snapshot: { id, vm, identity, createdMs }, keptFor }) => ({
          id,
          vm,
          identity: identity ?? null,
          created: new Date(createdMs).toISOString(),
          keptFor,
          outcome: outcomes.get(id) ?? 'kept',
        })),
      },
      () => tableOf(decisions, outcomes, timeZone),
    );
    return list.unreadable.length > 0
      ? exitCodeOfUnreadable(list.unreadable.map(({ error }) => error))
      : exitCodeOfRemovals(removals, signal);
  } finally {
    await store.close();
  }
}

function parseRule(options: TypedRule): RetentionRule {
  const count = (option: keyof RetentionRule): number | undefined => {
    const text = options[option];
    if (text !== undefined && !/^\d{1,9}$/.test(text)) {
      const flag = option.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`);
      throw new ParsError(
        'usage',
        `--${flag} ${JSON.stringify(text)}: expected a whole number of snapshots`,
      );
    }
    return text === undefined ? undefined : Number(text);
  };
  return {
    keepLast: count('keepLast'),
    keepHourly: count('keepHourly'),
    keepDaily: count('keepDaily'),
    keepWeekly: count('keepWeekly'),
    keepMonthly: count('keepMonthly'),
  };
}

/** Throws `not-found` for a VM that has no snapshot: a name that is mistyped must not look like a VM that is in order. */
function decide(
  { snapshots, unreadable }: SnapshotList,
  vms: readonly string[] | undefined,
  rule: RetentionRule,
  moment: RetentionMoment,
): readonly RetentionDecision[] {
  const headers = snapshots.map(({ header }) => header);
  const missing = vms?.find((vm) => headers.every((header) => header.vm !== vm));
  if (missing !== undefined) {
    const errors = unreadable.map(({ error }) => error);
    expectAllReadable(JSON.stringify(missing), errors);
    throw new ParsError(
      'not-found',
      `no snapshot of a VM called ${JSON.stringify(missing)} in the store; see \`pars list\``,
    );
  }
  const chosen = headers.filter(({ vm }) => vms === undefined || vms.includes(vm));
  return planRetention(chosen, rule, moment);
}

async function forget(
  store: Store,
  list: SnapshotList,
  doomed: readonly RetentionDecision[],
  isDryRun: boolean,
  signal: AbortSignal,
): Promise<readonly Removal[]> {
  const ids = new Set(doomed.map(({ snapshot }) => snapshot.id));
  // The list is by age, the oldest first.
  const headers = list.snapshots.map(({ header }) => header).filter(({ id }) => ids.has(id));
  if (isDryRun) {
    return headers.map(({ id }) => ({ id, outcome: 'would-be-removed' }));
  }
  if (headers.length === 0) {
    return [];
  }
  const deleteOne = prepareDeletions(store, list);
  return await removeInTurn(
    headers,
    async (header) => {
      await deleteOne(header);
      return 'removed';
    },
    signal,
  );
}

function tableOf(
  decisions: readonly RetentionDecision[],
  outcomes: ReadonlyMap<string, RemovalOutcome>,
  timeZone: string,
): Lines {
  const rows = decisions.map(({ snapshot: { id, vm, createdMs }, keptFor }) => {
    const outcome = outcomes.get(id);
    const last =
      outcome === undefined
        ? keptFor.map((reason) => reasonTexts[reason]).join(', ')
        : `- ${outcomeTexts[outcome]}`;
    return [id, formatTime(createdMs), vm, last];
  });
  const removedCount = [...outcomes.values()].filter((outcome) => outcome === 'removed').length;
  return [
    formatTable(['id', 'created', 'vm', 'kept as'], rows, ['left', 'left', 'left', 'left']),
    `${removedCount} of ${decisions.length} removed; hours and days are those of ${timeZone}`,
  ];
}
