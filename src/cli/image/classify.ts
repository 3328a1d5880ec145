// pars classify IMAGE: labels by page, counted, and to files when asked; why a page has its label; and how the labels
// stand beside the kernel's own counters.
import type { Command } from 'commander';
import type { PageExplanation } from '../../../introspect/explain/explain.js';
import { readStatistics } from '../../../introspect/label/statistics.js';
import type { Pfn } from '../../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../../introspect/page-class.js';
import { planReplication } from '../../plan/plan.js';
import { type PlannedSaving, plannedSaving } from '../../plan/saving.js';
import { labelImage, type LabelledImage } from '../../snapshot/prepare/open-image.js';
import { paragraphs } from '../../text/standard-streams.js';
import { exitCodeOfEvidence, unprovenLines } from '../shared/evidence.js';
import { toJson, wrapText } from '../shared/format.js';
import {
  collect,
  formatOption,
  imageMeaning,
  jsonOption,
  mapOption,
  policyOption,
  stateOption,
  weakOption,
} from '../shared/options/common.js';
import { type ImageArguments, openImageArgument } from '../shared/options/image-argument.js';
import { type PolicyArguments, readPolicy } from '../shared/options/read-policy.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import { savingTable } from '../shared/saving-table.js';
import { writeOutput } from '../shared/write-output.js';
import { explainText } from './explain-text.js';
import { drawMap, type MapFormat, mapFormatOf } from './map-file.js';
import { npyHeader } from './npy.js';
import { expectInImage, parsePfn } from './parse-pfn.js';
import { statsTable } from './stats-table.js';

/** So long are lines that are read on a terminal. */
const columnCount = 80;

export interface ClassifyOptions extends CommonOptions, PolicyArguments, ImageArguments {
  readonly labels?: string;
  readonly npy?: string;
  readonly map?: string;
  readonly stats?: boolean;
  /** Page frame numbers as they were typed. */
  readonly explain?: readonly string[];
}

export function configure(command: Command): void {
  command
    .argument('<image>', imageMeaning)
    .addOption(formatOption())
    .addOption(mapOption())
    .addOption(stateOption())
    .option('--labels <file>', 'write one byte per page, in file order: the number of its label')
    .option('--npy <file>', 'write the same as a NumPy array')
    .option('--map <file>', 'draw memory by label: a .png or .svg picture')
    .option(
      '--explain <pfn>',
      'show the evidence for one page frame, decimal or 0x hex; may be given again',
      collect,
    )
    .option('--stats', "compare the labels with the kernel's own counters")
    .addOption(policyOption())
    .addOption(weakOption())
    .addOption(jsonOption())
    .action((image: string, options: ClassifyOptions) =>
      runCommand(options, (context) => classifyCommand(image, options, context)),
    );
}

export async function classifyCommand(
  imagePath: string,
  options: ClassifyOptions,
  { print, warn }: CommandContext,
): Promise<number> {
  // All that can be wrong with the command line, before the image is read.
  const pfns = options.explain?.map(parsePfn) ?? [];
  const mapFormat = options.map === undefined ? undefined : mapFormatOf(options.map);
  const { policy } = await readPolicy(options);
  const image = labelImage(openImageArgument(imagePath, options));
  try {
    const { map, introspected } = image;
    for (const pfn of pfns) {
      expectInImage(pfn, map.regions);
    }
    await writeFiles(image, options, mapFormat);
    map.warnings.forEach(warn);
    const explanations = pfns.length === 0 ? [] : await explain(image, pfns);
    const statistics = options.stats === true ? readStatistics(introspected, map) : undefined;
    const saving = plannedSaving(planReplication(map, policy));
    const { kernel, evidence, warnings, regions } = map;
    print(
      {
        kernel: kernel ?? null,
        evidence,
        kernelProof: map.kernelProof ?? null,
        warnings,
        regions,
        pageCount: saving.pageCount,
        legend: pageClasses.map(({ number, label, expendable }) => ({ number, label, expendable })),
        counts: countsOf(saving),
        saving: saving.total,
        ...(statistics === undefined ? {} : { statistics }),
        ...(pfns.length === 0 ? {} : { explanations: toJson(explanations) }),
      },
      () =>
        paragraphs([
          kernel === undefined ? 'No kernel found' : `Linux ${kernel.release}`,
          ...unprovenLines(map).map((line) => wrapText(line, columnCount, 0)),
          ...explanations.map(explainText),
          // Who asks about a page or the counters does not ask what storing would save.
          ...(explanations.length > 0 ? [] : [savingTable(saving)]),
          ...(statistics === undefined ? [] : [statsTable(statistics)]),
        ]),
    );
    return exitCodeOfEvidence(map);
  } finally {
    image.close();
  }
}

async function explain(
  { introspected, map }: LabelledImage,
  pfns: readonly Pfn[],
): Promise<readonly PageExplanation[]> {
  const { Explainer } = await import('../../../introspect/explain/explain.js');
  const explainer = new Explainer(introspected, map);
  return pfns.flatMap((pfn) => explainer.explain(pfn) ?? []);
}

async function writeFiles(
  { map }: LabelledImage,
  options: ClassifyOptions,
  mapFormat: MapFormat | undefined,
): Promise<void> {
  const { labels } = map;
  if (options.labels !== undefined) {
    writeOutput(options.labels, [labels], 'the labels');
  }
  if (options.npy !== undefined) {
    writeOutput(options.npy, [npyHeader(labels.length), labels], 'the labels');
  }
  if (options.map !== undefined && mapFormat !== undefined) {
    writeOutput(options.map, [await drawMap(map, mapFormat)], 'the picture');
  }
}

function countsOf(saving: PlannedSaving): Readonly<Record<string, number>> {
  const counts: Record<string, number> = Object.fromEntries(
    pageClasses.map(({ label }) => [label, 0]),
  );
  for (const entry of saving.labels) {
    counts[entry.label] += entry.pageCount;
  }
  return counts;
}
