// pars upload IMAGE: a snapshot into a store, or with --dry-run what it would be.
import { ParsError } from '../../introspect/pars-error.js';
import { type DiskArgument, parseDiskArgument } from '../disk/guest-disks.js';
import { planReplication } from '../plan/plan.js';
import type { NamedPolicy } from '../plan/policy.js';
import { plannedSaving, storedSaving } from '../plan/saving.js';
import { takeSnapshot } from '../snapshot/take-snapshot.js';
import { readMachineFile } from '../vm/machine-file.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { exitCodes } from './exit-code.js';
import { type HeldImage, holdOnDisk, proofLines } from './hold-on-disk.js';
import { formatBytes, formatPercent } from './format.js';
import {
  exitCodeOfEvidence,
  type ImageArguments,
  labelImage,
  openImageArgument,
} from './open-image.js';
import { type PolicyArguments, readPolicy } from './read-policy.js';
import type { CommandContext, CommonOptions } from './run-command.js';
import { savingTable } from './saving-table.js';

export interface UploadOptions extends CommonOptions, PolicyArguments, ImageArguments {
  readonly disk?: readonly string[];
  readonly machine?: string;
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
  const diskArguments = (options.disk ?? []).map(parseDiskArgument);
  expectDisks(options, policy, diskArguments);
  const machine =
    options.machine === undefined ? undefined : await readMachineFile(options.machine);
  // Opened before the store, which may be made by opening it; labelled after, since a wrong URL should not cost that.
  const opened = openImageArgument(imagePath, options);
  const store = await openStore(options.store).catch((error: unknown) => {
    opened.close();
    throw error;
  });
  try {
    const image = labelImage(opened);
    try {
      const held = await holdOnDisk(image, policy.heldLabels, diskArguments, context);
      return await uploadLabelled(held, store, policy, machine, options, context);
    } finally {
      image.close();
    }
  } finally {
    await store.close();
  }
}

function expectDisks(
  { policy = 'strict' }: UploadOptions,
  { heldLabels }: NamedPolicy,
  disks: readonly DiskArgument[],
): void {
  if (disks.length > 0 && heldLabels.length === 0) {
    throw new ParsError(
      'usage',
      `the policy ${policy} stores nothing by what a disk holds: leave --disk out, or say --policy disk or lean`,
    );
  }
  if (disks.length === 0 && policy === 'disk') {
    throw new ParsError(
      'usage',
      "the policy disk needs the VM's disk, of the same moment as its memory: give it with --disk",
    );
  }
}

async function uploadLabelled(
  { map, memory, state, proof }: HeldImage,
  store: Store,
  { policy }: NamedPolicy,
  machine: Uint8Array | undefined,
  options: UploadOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  map.warnings.forEach(warn);
  if (options.dryRun === true) {
    const planned = plannedSaving(planReplication(map, policy));
    print({ dryRun: true, evidence: map.evidence, plan: planned, ...proof }, () =>
      [savingTable(planned), ...proofLines(proof)].join('\n'),
    );
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
    machine,
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
      ...(planned.notStored === undefined ? {} : { notStored: planned.notStored }),
      ...proof,
      stored,
      packCount: header.packs.length,
      manifestSizeBytes: result.manifestSizeBytes,
      underReplicated: result.underReplicated,
    },
    () =>
      `snapshot ${header.id} of ${header.vm}: ${formatBytes(stored.chosenBytes)} on disks, ` +
      `${formatPercent(planned.total.savingFraction)} saved by label ` +
      `(${formatPercent(1 - stored.chosenBytes / planned.total.nativeBytes)} with compression and zero pages` +
      [
        `${planned.notStored === undefined ? '' : `, and ${planned.notStored.pageCount} pages not stored`})`,
        ...proofLines(proof),
      ].join('\n'),
  );
  return result.underReplicated.length > 0 ? exitCodes.underReplicated : exitCodeOfEvidence(map);
}
