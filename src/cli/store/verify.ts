// pars verify ID: could this snapshot be restored now, does it have all its copies, and what would it survive?
import type { Command } from 'commander';
import { loadManifest, resolveId } from '../../catalog/catalog.js';
import { lostPageCount, type LostRun } from '../../loss/lost-pages.js';
import type { Manifest } from '../../manifest/types.js';
import { storeKindOf } from '../../store/kinds.js';
import { openStore } from '../../store/open-store.js';
import type { Lines } from '../../text/standard-streams.js';
import { type Verification, verifySnapshot } from '../../verify/verify-snapshot.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { wrapText } from '../shared/format.js';
import { lostTable, reportLost, reportLostOnDisks } from '../shared/lost-report.js';
import { jsonOption, snapshotMeaning } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import { shortOfCopies } from '../shared/short-of-copies.js';
import { scenarioTable } from './scenario-table.js';

export interface VerifyOptions extends CommonOptions {
  readonly store: string;
  readonly readData?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<id>', snapshotMeaning)
    .addOption(storeOption().makeOptionMandatory())
    .option('--read-data', 'read and check every page too')
    .addOption(jsonOption())
    .action((id: string, options: VerifyOptions) =>
      runCommand(options, (context) => verifyCommand(id, options, context)),
    );
}

const columnCount = 80;

export async function verifyCommand(
  prefix: string,
  options: VerifyOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const manifest = await loadManifest(store, await resolveId(store, prefix), signal);
    const readData = options.readData === true;
    const result = await verifySnapshot({ store, manifest, readData, signal, onProgress });
    const { lost, lostOnDisks, wrongFiles, unreachableFiles, underReplicated, scenarios } = result;
    wrongFiles.forEach(warn);
    for (const name of unreachableFiles) {
      warn(`${name} cannot be reached now: its copies are on what is not there`);
    }
    underReplicated.map(shortOfCopies).forEach(warn);
    const nodes = scenarios.map(({ node }) => node).filter((node) => node !== null);
    const disks = await storeKindOf(store.url).disks?.();
    const sharedDisks = (await disks?.sharedDisks(nodes)) ?? [];
    const risks = [
      ...result.risks,
      ...sharedDisks.map((sentence) => ({ kind: 'shared-disk', sentence }) as const),
    ];
    print(
      {
        id: manifest.header.id,
        readData,
        lostPageCount: allLostPageCount(result),
        lost: [...reportLost(lost, manifest), ...reportLostOnDisks(lostOnDisks, manifest)],
        wrongFiles,
        unreachableFiles,
        underReplicated,
        scenarios,
        risks,
      },
      () => [
        verdictLine(manifest, result, readData),
        hopelessTable(manifest, result),
        '',
        scenarioTable(scenarios),
        ...(risks.length === 0 ? [] : ['', 'Risks:']),
        ...risks.map(({ sentence }) => wrapText(`- ${sentence}`, columnCount, 2)),
      ],
    );
    return exitCodeOf(result);
  } finally {
    await store.close();
  }
}

function verdictLine(
  { header: { id } }: Manifest,
  result: Verification,
  readData: boolean,
): string {
  const { outlook, wrongFiles, scenarios } = result;
  const isFileLost = wrongFiles.length > 0 || scenarios[0].lostFiles.length > 0;
  const lostPages = allLostPageCount(result);
  if (lostPages === 0) {
    return isFileLost
      ? `every page of ${id} can be read back, but not every file`
      : `${id} is whole${readData ? ', every page was read and checked' : '; its data was not read (--read-data does)'}`;
  }
  const unreachablePages = lostPageCount(
    [...result.lost, ...runsOnDisks(result)].filter(({ reason }) => reason === 'unreachable'),
  );
  if (unreachablePages > 0) {
    return (
      `${unreachablePages} pages of ${id} cannot be reached now, and may be whole: mount or start what is missing and ` +
      'verify again; restore ends there, unless --heal-unreachable gives them up'
    );
  }
  const forGood = lostPageCount([...outlook.none, ...runsOnDisks(result)]);
  const fromDisk = lostPageCount(runsNeedingDisk(result));
  const fates = [
    ...(forGood > 0 ? [`${forGood} of them for good`] : []),
    ...(fromDisk > 0 ? [`${fromDisk} of them healed only if restore is given --disk`] : []),
  ];
  return (
    `${lostPages} pages of ${id} cannot be read back, ` +
    (fates.length === 0 ? 'and restore heals them all' : fates.join(' and '))
  );
}

/** What is healed without further ado nobody has to look up page by page; `--json` has it. */
function hopelessTable(manifest: Manifest, result: Verification): Lines {
  const report = [
    ...reportLost(hopelessRuns(result), manifest),
    ...reportLostOnDisks(result.lostOnDisks, manifest),
  ];
  return report.length === 0 ? [] : lostTable(report);
}

/** Lost runs of RAM that nothing heals. */
function hopelessRuns(result: Verification): readonly LostRun[] {
  return [...result.outlook.none, ...runsNeedingDisk(result)].sort(
    (a, b) => a.firstPage - b.firstPage,
  );
}

/** A disk that is stored with the snapshot is there for its pages. */
function runsNeedingDisk({ outlook, disksToBeGiven }: Verification): readonly LostRun[] {
  return disksToBeGiven.length === 0 ? [] : outlook.disk;
}

function runsOnDisks({ lostOnDisks }: Verification): readonly LostRun[] {
  return lostOnDisks.flatMap(({ lost }) => lost);
}

function allLostPageCount(result: Verification): number {
  return lostPageCount([...result.lost, ...runsOnDisks(result)]);
}

/** As `restore` without --disk would end, as far as stored pages go; what it would heal counts as missing copies do. */
function exitCodeOf(result: Verification): number {
  const { lost, wrongFiles, unreachableFiles, underReplicated, scenarios } = result;
  if (unreachableFiles.length > 0) {
    return exitCodeOfError.unavailable;
  }
  const hopeless = [...hopelessRuns(result), ...runsOnDisks(result)];
  if (hopeless.some(({ reason }) => reason === 'corrupt')) {
    return exitCodeOfError.corrupt;
  }
  if (hopeless.length > 0 || scenarios[0].lostFiles.length > 0) {
    return exitCodeOfError['data-lost'];
  }
  return lost.length > 0 || wrongFiles.length > 0 || underReplicated.length > 0
    ? exitCodes.underReplicated
    : exitCodes.ok;
}
