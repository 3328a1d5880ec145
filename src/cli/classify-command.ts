// pars classify IMAGE: labels by page, counted, and to a file when asked.
import { writeFileSync } from 'node:fs';
import { RawFile } from '../../introspect/memory/raw-file.js';
import { pageClasses } from '../../introspect/page-class.js';
import { planReplication } from '../plan/plan.js';
import { plannedSaving } from '../plan/saving.js';
import { diskError } from '../flow/disk-error.js';
import { exitCodeOfEvidence, labelImage } from './open-image.js';
import { type PolicyArguments, readPolicy } from './read-policy.js';
import { type CommandContext, type CommonOptions } from './run-command.js';
import { savingTable } from './saving-table.js';

export interface ClassifyOptions extends CommonOptions, PolicyArguments {
  readonly labels?: string;
}

export async function classifyCommand(
  imagePath: string,
  options: ClassifyOptions,
  { print, warn }: CommandContext,
): Promise<number> {
  const policy = await readPolicy(options);
  const image = labelImage(RawFile.open(imagePath));
  try {
    const { map } = image;
    if (options.labels !== undefined) {
      try {
        writeFileSync(options.labels, map.labels);
      } catch (error) {
        throw diskError(error, `cannot write the labels to ${options.labels}`);
      }
    }
    map.warnings.forEach(warn);
    const saving = plannedSaving(planReplication(map, policy));
    const counts: Record<string, number> = Object.fromEntries(
      pageClasses.map(({ label }) => [label, 0]),
    );
    for (const entry of saving.labels) {
      counts[entry.label] += entry.pageCount;
    }
    const { kernel, evidence, warnings, regions } = map;
    print(
      {
        kernel: kernel ?? null,
        evidence,
        warnings,
        regions,
        pageCount: saving.pageCount,
        legend: pageClasses.map(({ number, label, expendable }) => ({ number, label, expendable })),
        counts,
        saving: saving.total,
      },
      () =>
        `${kernel === undefined ? 'No kernel found' : `Linux ${kernel.release}`}\n\n${savingTable(saving)}`,
    );
    return exitCodeOfEvidence(map);
  } finally {
    image.close();
  }
}
