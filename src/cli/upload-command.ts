// pars upload IMAGE: a snapshot into a store, or with --dry-run what it would be.
import { planReplication } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import { plannedSaving, storedSaving } from '../plan/saving.js';
import { takeSnapshot } from '../snapshot/take-snapshot.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { exitCodes } from './exit-code.js';
import { formatBytes, formatPercent } from './format.js';
import {
  exitCodeOfEvidence,
  type ImageArguments,
  labelImage,
  type LabelledImage,
  openImageArgument,
} from './open-image.js';
import { type PolicyArguments, readPolicy } from './read-policy.js';
import type { CommandContext, CommonOptions } from './run-command.js';
import { savingTable } from './saving-table.js';

export interface UploadOptions extends CommonOptions, PolicyArguments, ImageArguments {
  readonly store: string;
  readonly name: string;
  readonly state?: string;
  readonly dryRun?: boolean;
}

export async function uploadCommand(
  imagePath: string,
  options: UploadOptions,
  context: CommandContext,
): Promise<number> {
  const policy = await readPolicy(options);
  // Opened before the store, which may be made by opening it; labelled after, since a wrong URL should not cost that.
  const opened = openImageArgument(imagePath, options);
  const store = await openStore(options.store).catch((error: unknown) => {
    opened.close();
    throw error;
  });
  try {
    const image = labelImage(opened);
    try {
      return await uploadLabelled(image, store, policy, options, context);
    } finally {
      image.close();
    }
  } finally {
    await store.close();
  }
}

async function uploadLabelled(
  { map, memory, state }: LabelledImage,
  store: Store,
  policy: Policy,
  options: UploadOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  map.warnings.forEach(warn);
  if (options.dryRun === true) {
    const planned = plannedSaving(planReplication(map, policy));
    print({ dryRun: true, evidence: map.evidence, plan: planned }, () => savingTable(planned));
    return exitCodeOfEvidence(map);
  }
  const result = await takeSnapshot({
    store,
    memory,
    map,
    policy,
    vm: options.name,
    signal,
    onProgress,
    statePath: options.state,
    state,
  });
  const planned = plannedSaving(result.plan);
  const { header } = result.manifest;
  const stored = storedSaving(header.packs);
  for (const { name, wanted, found } of result.underReplicated) {
    warn(`${name} has ${found} of ${wanted} copies`);
  }
  print(
    {
      id: header.id,
      vm: header.vm,
      evidence: map.evidence,
      warnings: map.warnings,
      planned: planned.total,
      stored,
      packCount: header.packs.length,
      manifestSizeBytes: result.manifestSizeBytes,
      underReplicated: result.underReplicated,
    },
    () =>
      `snapshot ${header.id} of ${header.vm}: ${formatBytes(stored.chosenBytes)} on disks, ` +
      `${formatPercent(planned.total.savingFraction)} saved by label ` +
      `(${formatPercent(1 - stored.chosenBytes / planned.total.nativeBytes)} with compression and zero pages)`,
  );
  return result.underReplicated.length > 0 ? exitCodes.underReplicated : exitCodeOfEvidence(map);
}
