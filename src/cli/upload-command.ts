// pars upload IMAGE: a snapshot into a store, or with --dry-run what it would be.
import { ParsError } from '../../introspect/pars-error.js';
import { type DiskArgument, parseDiskArgument } from '../disk/guest-disks.js';
import { planReplication } from '../plan/plan.js';
import type { NamedPolicy } from '../plan/policy.js';
import { plannedSaving, storedSaving } from '../plan/saving.js';
import type { DiskToStore } from '../snapshot/disk-to-store.js';
import { takeSnapshot } from '../snapshot/take-snapshot.js';
import { readMachineFile } from '../vm/machine-file.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import {
  disksToStore,
  packsOfRam,
  planDisks,
  plannedDiskLines,
  storedDiskLines,
  storedDiskSizes,
} from './disks-to-store.js';
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
  readonly withDisks?: boolean;
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
      const compared = policy.heldLabels.length === 0 ? [] : diskArguments;
      const held = await holdOnDisk(image, policy.heldLabels, compared, context);
      const disks = options.withDisks === true ? disksToStore(diskArguments, image) : [];
      return await uploadLabelled(held, disks, store, policy, machine, options, context);
    } finally {
      image.close();
    }
  } finally {
    await store.close();
  }
}

function expectDisks(
  { policy = 'strict', withDisks = false }: UploadOptions,
  { heldLabels }: NamedPolicy,
  disks: readonly DiskArgument[],
): void {
  if (disks.length > 0 && heldLabels.length === 0 && !withDisks) {
    throw new ParsError(
      'usage',
      `the policy ${policy} stores nothing by what a disk holds: leave --disk out, say --policy disk or lean, or store ` +
        'the disk too, with --with-disks',
    );
  }
  if (disks.length === 0 && withDisks) {
    throw new ParsError(
      'usage',
      "--with-disks stores the VM's disks as they were at the moment of its memory: give them with --disk",
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
  disks: readonly DiskToStore[],
  store: Store,
  { policy }: NamedPolicy,
  machine: Uint8Array | undefined,
  options: UploadOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  map.warnings.forEach(warn);
  if (options.dryRun === true) {
    const planned = plannedSaving(planReplication(map, policy));
    const plannedDisks = planDisks(disks, policy);
    print(
      { dryRun: true, evidence: map.evidence, plan: planned, disks: plannedDisks, ...proof },
      () =>
        [savingTable(planned), ...plannedDiskLines(plannedDisks), ...proofLines(proof)].join('\n'),
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
    disks,
  });
  const planned = plannedSaving(result.plan);
  const { header } = result.manifest;
  const stored = storedSaving(header.packs);
  const storedDisks = storedDiskSizes(result.manifest);
  const storedRam = storedSaving(packsOfRam(result.manifest));
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
      disks: storedDisks,
      packCount: header.packs.length,
      manifestSizeBytes: result.manifestSizeBytes,
      underReplicated: result.underReplicated,
    },
    () =>
      [
        `snapshot ${header.id} of ${header.vm}: ${formatBytes(storedRam.chosenBytes)} on disks, ` +
          `${formatPercent(planned.total.savingFraction)} saved by label ` +
          `(${formatPercent(1 - storedRam.chosenBytes / planned.total.nativeBytes)} with compression and zero pages` +
          (planned.notStored === undefined
            ? ')'
            : `, and ${planned.notStored.pageCount} pages not stored)`),
        ...storedDiskLines(storedDisks),
        ...proofLines(proof),
      ].join('\n'),
  );
  return result.underReplicated.length > 0 ? exitCodes.underReplicated : exitCodeOfEvidence(map);
}
