// pars report: what storing by page saves against every other way, of a snapshot, an image, a VM or a whole store.
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { visitSnapshots } from '../../catalog/catalog.js';
import { type DiskArgument, parseDiskArgument } from '../../disk/guest-disks.js';
import type { OnProgress } from '../../flow/progress.js';
import type { ManifestHeader } from '../../manifest/types.js';
import { measureLabelled } from '../../measure/measure-labelled.js';
import { reportStored } from '../../measure/report-stored.js';
import type { MemoryMapData } from '../../report/html/charts/memory-map.js';
import { FleetTally } from '../../report/model/fleet-report.js';
import { headerFigures } from '../../report/model/header-figures.js';
import { historyReport } from '../../report/model/history-report.js';
import type { ImageFigures } from '../../report/model/image-figures.js';
import {
  type Assumptions,
  type FleetReport,
  type HistoryReport,
  type Report,
  reportVersion,
} from '../../report/model/report.js';
import { snapshotReport } from '../../report/model/snapshot-report.js';
import { publishedReport } from '../../report/published-report.js';
import { labelImage } from '../../snapshot/prepare/open-image.js';
import type { Store } from '../../store/store.js';
import { exitCodeOfEvidence } from '../shared/evidence.js';
import {
  exitCodeOfUnreadable,
  exitCodes,
  expectAllReadable,
  worstOf,
} from '../shared/exit-code.js';
import {
  collect,
  formatOption,
  jsonOption,
  mapOption,
  snapshotMeaning,
  stateOption,
} from '../shared/options/common.js';
import { type ImageArguments, openImageArgument } from '../shared/options/image-argument.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import { writeOutput } from '../shared/write-output.js';
import { advised } from './advise.js';
import { type AssumptionArguments, parseAssumptions } from './assumptions.js';
import { reportText } from './text.js';
import { withStore } from './with-store.js';

export interface ReportOptions extends CommonOptions, AssumptionArguments, ImageArguments {
  readonly store?: string;
  /** What it is on, if not one snapshot. */
  readonly vm?: string;
  readonly fleet?: boolean;
  readonly compare?: readonly string[];
  readonly estimate?: string;
  readonly image?: string;
  readonly disk?: readonly string[];
  /** With a snapshot or an image: what the store's cluster could keep critical pages in. */
  readonly advise?: boolean;
  /** Files to write. */
  readonly html?: string;
  readonly csv?: string;
  readonly markdown?: string;
}

export function configure(command: Command): void {
  command
    .argument('[id]', `a snapshot: ${snapshotMeaning}`)
    .addOption(storeOption('where snapshots are'))
    .option('--vm <name>', 'instead: all snapshots of a VM, over time')
    .option('--fleet', 'instead: all snapshots of the store')
    .option('--compare <ids...>', 'instead: two snapshots, beside each other')
    .option('--estimate <image>', 'instead: an image; nothing is stored')
    .option(
      '--image <file>',
      "the snapshot's memory as a file: its bytes are compressed in every way to be compared",
    )
    .option(
      '--disk <[name=]file>',
      "with an image: raw disk of the same moment, for the policies disk and lean; may be given again, with the guest's names such as vda=",
      collect,
    )
    .addOption(formatOption())
    .addOption(mapOption())
    .addOption(stateOption())
    .option(
      '--advise',
      'with a snapshot or an image: copies and erasure codes that the cluster of --store could keep critical pages in',
    )
    .option('--nodes <count>', 'DataNodes of the cluster (default: those that hold it, else 10)')
    .option('--failure-rate <rate>', 'failures of a node in a year (default: 0.05)')
    .option('--repair-hours <hours>', 'until what a failed node held is there again (default: 1)')
    .option('--link <rate>', 'bytes per second between client and cluster (default: 125000000)')
    .option('--price <number>', 'of 10^12 bytes on disk for a month')
    .option('--html <file>', 'write it as one page that needs nothing else, with pictures')
    .option('--csv <file>', 'write its rows for a spreadsheet')
    .option('--markdown <file>', 'write it for a merge request')
    .addOption(jsonOption())
    .action((id: string | undefined, options: ReportOptions) =>
      runCommand(options, (context) => reportCommand(id, options, context)),
    );
}

interface Reported {
  readonly report: Report;
  readonly maps: readonly MemoryMapData[];
  readonly exitCode: number;
}

export async function reportCommand(
  id: string | undefined,
  options: ReportOptions,
  context: CommandContext,
): Promise<number> {
  expectOneSubject(id, options);
  // What can be wrong with numbers is said before the work.
  parseAssumptions(options);
  const made = await makeReport(id, options, context);
  const reported =
    options.advise === true
      ? { ...made, report: await advised(made.report, options, context.signal) }
      : made;
  await writeFiles(reported, options);
  context.print(publishedReport(reported.report), () => reportText(reported.report));
  return reported.exitCode;
}

async function makeReport(
  id: string | undefined,
  options: ReportOptions,
  context: CommandContext,
): Promise<Reported> {
  const { estimate, vm, compare = [] } = options;
  const assume = (knownNodeCount: number | undefined): Assumptions =>
    parseAssumptions(options, knownNodeCount);
  if (estimate !== undefined) {
    return await estimateImage(estimate, options, context);
  }
  if (id !== undefined) {
    return await withStore(options, async (store) => {
      const figures = await figuresOfFile(options, context);
      const { report, map } = await reportStored(store, id, assume, context.signal, figures);
      return { report, maps: [map], exitCode: exitCodes.ok };
    });
  }
  if (compare.length > 0) {
    return await withStore(options, async (store) => {
      const before = await reportStored(store, compare[0], assume, context.signal);
      const after = await reportStored(store, compare[1], assume, context.signal);
      return {
        report: {
          version: reportVersion,
          kind: 'comparison',
          before: before.report,
          after: after.report,
        },
        maps: [before.map, after.map],
        exitCode: exitCodes.ok,
      };
    });
  }
  return await withStore(options, async (store) =>
    vm === undefined ? await fleetOf(store, context) : await historyOf(store, vm, context),
  );
}

async function estimateImage(
  path: string,
  options: ReportOptions,
  context: CommandContext,
): Promise<Reported> {
  const image = labelImage(openImageArgument(path, options));
  try {
    const { map } = image;
    map.warnings.forEach(context.warn);
    const figures = await measureLabelled(image, disksOf(options), context);
    return {
      report: snapshotReport({
        subject: {
          id: null,
          vm: null,
          imagePath: path,
          created: null,
          kernel: map.kernel?.release ?? null,
          evidence: map.evidence.kind,
        },
        figures,
        assumptions: parseAssumptions(options),
      }),
      maps: [{ title: 'Memory by label', regions: map.regions, labels: map.labels }],
      exitCode: exitCodeOfEvidence(map),
    };
  } finally {
    image.close();
  }
}

async function figuresOfFile(
  options: ReportOptions,
  context: CommandContext,
): Promise<ImageFigures | undefined> {
  if (options.image === undefined) {
    return undefined;
  }
  const image = labelImage(openImageArgument(options.image, options));
  try {
    image.map.warnings.forEach(context.warn);
    return await measureLabelled(image, disksOf(options), context);
  } finally {
    image.close();
  }
}

function disksOf({ disk = [] }: ReportOptions): readonly DiskArgument[] {
  return disk.map(parseDiskArgument);
}

async function historyOf(
  store: Store,
  vm: string,
  { signal, warn, onProgress }: CommandContext,
): Promise<Reported> {
  const headers: ManifestHeader[] = [];
  const unreadable: HistoryReport['unreadable'] = [];
  const errors: ParsError[] = [];
  await visitSnapshots(
    store,
    {
      snapshot: ({ header }) => {
        if (header.vm === vm) {
          headers.push(header);
        }
      },
      unreadable: (id, error) => {
        errors.push(error);
        unreadable.push({ id, reason: error.message });
      },
      progress: showReading(onProgress),
    },
    signal,
  );
  if (headers.length === 0) {
    expectAllReadable(vm, errors);
    throw new ParsError('not-found', `no snapshot of ${vm} in ${store.url}; see \`pars list\``);
  }
  return {
    report: historyReport(vm, headers, unreadable),
    maps: [],
    exitCode: exitCodeOfMissing(unreadable.length, worstOf(errors), warn),
  };
}

async function fleetOf(
  store: Store,
  { signal, warn, onProgress }: CommandContext,
): Promise<Reported> {
  const tally = new FleetTally();
  let worst: ParsError | undefined;
  await visitSnapshots(
    store,
    {
      snapshot: ({ header }) => {
        tally.add(headerFigures(header));
      },
      unreadable: (id, error) => {
        worst = worstOf(worst === undefined ? [error] : [worst, error]);
        tally.addUnreadable(id, error.message);
      },
      progress: showReading(onProgress),
    },
    signal,
  );
  const report: FleetReport = tally.report(store.url);
  return {
    report,
    maps: [],
    exitCode: exitCodeOfMissing(report.unreadableCount, worst, warn),
  };
}

function showReading(onProgress: OnProgress) {
  return (doneBytes: number, totalBytes: number): void => {
    onProgress({ phase: 'reading manifests', doneBytes, totalBytes });
  };
}

/** The report is made all the same, as `pars list` does. */
function exitCodeOfMissing(
  count: number,
  worst: ParsError | undefined,
  warn: CommandContext['warn'],
): number {
  if (worst === undefined) {
    return exitCodes.ok;
  }
  warn(`${count} manifests could not be read and are not counted: ${worst.message}`);
  return exitCodeOfUnreadable([worst]);
}

async function writeFiles({ report, maps }: Reported, options: ReportOptions): Promise<void> {
  if (options.html !== undefined) {
    const { renderHtml } = await import('../../report/html/render-html.js');
    write(options.html, await renderHtml(report, { maps }));
  }
  if (options.csv !== undefined) {
    write(options.csv, (await import('../../report/csv.js')).reportCsv(report));
  }
  if (options.markdown !== undefined) {
    write(options.markdown, (await import('../../report/markdown.js')).reportMarkdown(report));
  }
}

function write(path: string, text: string): void {
  writeOutput(path, [Buffer.from(text)], 'the report');
}

const subjectNames = 'a snapshot ID, --vm, --fleet, --compare ID ID, or --estimate IMAGE';

function expectOneSubject(id: string | undefined, options: ReportOptions): void {
  const { vm, fleet, compare, estimate } = options;
  const count = [id, vm, fleet, compare, estimate].filter(
    (subject) => subject !== undefined,
  ).length;
  if (count !== 1) {
    throw new ParsError(
      'usage',
      `expected one of ${subjectNames}; found ${count === 0 ? 'none' : 'several'}`,
    );
  }
  if (compare !== undefined && compare.length !== 2) {
    throw new ParsError('usage', `--compare: expected two snapshots, found ${compare.length}`);
  }
  if (options.advise === true && id === undefined && estimate === undefined) {
    throw new ParsError(
      'usage',
      '--advise is for one snapshot or image: give its ID, or --estimate',
    );
  }
  if (options.image !== undefined && id === undefined) {
    throw new ParsError(
      'usage',
      '--image is the file whose memory a stored snapshot has: give the ID of that too, or say --estimate',
    );
  }
  const readsImage = options.image !== undefined || estimate !== undefined;
  for (const name of ['disk', 'format', 'mapFile'] as const) {
    if (options[name] !== undefined && !readsImage) {
      throw new ParsError(
        'usage',
        `--${name === 'mapFile' ? 'map-file' : name} means nothing without an image: leave it out`,
      );
    }
  }
}
