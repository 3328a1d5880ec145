// pars prune: removes what killed uploads left behind, once it is old enough, by the store's clock, and shows no sign of life
// for a while.
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { findLeftovers, type Leftover } from '../../catalog/find-leftovers.js';
import { removeLeftover } from '../../catalog/remove-leftover.js';
import { storeTimeMs } from '../../catalog/store-clock.js';
import { watchLeftovers } from '../../catalog/watch-leftovers.js';
import { openStore } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';
import { parseDuration } from '../../units/duration.js';
import { formatBytes, formatTable, formatTime } from '../shared/format.js';
import { jsonOption } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import {
  exitCodeOfRemovals,
  outcomeTexts,
  type Removal,
  removeInTurn,
  warnOfFailures,
} from './remove-in-turn.js';

/** An upload shows nothing in the store while it sends a pack, and the clocks of hosts differ. */
const minAgeMs = 3600 * 1000;

export interface PruneOptions extends CommonOptions {
  readonly store: string;
  /** As it was typed. */
  readonly olderThan: string;
  readonly dryRun?: boolean;
}

export function configure(command: Command): void {
  command
    .addOption(storeOption().makeOptionMandatory())
    .option(
      '--older-than <age>',
      'only what has not changed for so long, such as 24h or 7d; at least 1h',
      '24h',
    )
    .option('--dry-run', 'tell what would be removed, and remove nothing')
    .addOption(jsonOption())
    .action((options: PruneOptions) =>
      runCommand(options, (context) => pruneCommand(options, context)),
    );
}

export async function pruneCommand(
  options: PruneOptions,
  { print, warn, signal }: CommandContext,
): Promise<number> {
  const ageMs = parseAge(options.olderThan);
  const isDryRun = options.dryRun === true;
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const nowMs = await storeTimeMs(store, signal).catch((error: unknown) => {
      // To tell what would be removed, leave to read is enough.
      if (isDryRun && error instanceof ParsError && error.code === 'permission-denied') {
        return Date.now();
      }
      throw error;
    });
    const old = await findLeftovers(store, { unchangedSinceMs: nowMs - ageMs, signal });
    const leftovers = await watchLeftovers(store, old, signal);
    const removals = await prune(store, leftovers, isDryRun, signal);
    warnOfFailures(removals, 'what is left of upload', warn);
    if (!isDryRun && !signal.aborted) {
      await removeOrphans(options.store);
    }
    const rows = leftovers.map((leftover, index) => ({
      ...summaryOf(leftover),
      outcome: removals[index].outcome,
    }));
    print(
      {
        dryRun: isDryRun,
        leftovers: rows.map(({ modifiedMs, ...row }) => ({
          ...row,
          modified: new Date(modifiedMs).toISOString(),
        })),
      },
      () =>
        rows.length === 0
          ? `nothing is left of uploads that ended more than ${options.olderThan} ago`
          : formatTable(
              ['upload', 'last changed', 'files', 'size', ''],
              rows.map(({ id, modifiedMs, fileCount, sizeBytes, outcome }) => [
                id,
                formatTime(modifiedMs),
                String(fileCount),
                formatBytes(sizeBytes),
                outcomeTexts[outcome],
              ]),
              ['left', 'left', 'right', 'right', 'left'],
            ),
    );
    return exitCodeOfRemovals(removals, signal);
  } finally {
    await store.close();
  }
}

function parseAge(text: string): number {
  const ageMs = parseDuration(text);
  if (ageMs === undefined || ageMs < minAgeMs) {
    throw new ParsError(
      'usage',
      `--older-than ${JSON.stringify(text)}: expected 1h or longer, such as 24h or 7d; ` +
        `what is younger may belong to an upload under way`,
    );
  }
  return ageMs;
}

/** Bytes without a name on local disks. The store itself leaves them while anybody is at work in it. */
async function removeOrphans(storeUrl: string): Promise<void> {
  const store = await openStore(storeUrl, { local: { mustExist: true, removeOrphans: true } });
  await store.close();
}

async function prune(
  store: Store,
  leftovers: readonly Leftover[],
  isDryRun: boolean,
  signal: AbortSignal,
): Promise<readonly Removal[]> {
  if (isDryRun) {
    return leftovers.map(({ id }) => ({ id, outcome: 'would-be-removed' }));
  }
  return await removeInTurn(
    leftovers,
    async (leftover) => ((await removeLeftover(store, leftover)) ? 'removed' : 'changed'),
    signal,
  );
}

/** Sizes of one copy each: the store does not say how many there are. */
function summaryOf({ id, parts, files, claims, modifiedMs }: Leftover) {
  const all = [...parts, ...files, ...claims];
  const sizeBytes = all.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { id, fileCount: all.length, sizeBytes, modifiedMs };
}
