// A source of `pars upload` on its way into the store, or with --dry-run the plan for it, and what is said of either.
import type { CodecChoice } from '../../pack/codec/codec-choice.js';
import { createFramePool, type FramePool } from '../../pack/frame-pool.js';
import { planReplication } from '../../plan/plan.js';
import type { NamedPolicy } from '../../plan/policy.js';
import { plannedSaving, storedSaving } from '../../plan/saving.js';
import type { DiskToStore } from '../../snapshot/disk-to-store.js';
import { expectCodes } from '../../snapshot/expect-codes.js';
import {
  capturedDisks,
  packsOfRam,
  planDisks,
  storedDiskSizes,
  type UploadDisks,
} from '../../snapshot/prepare/disks-to-store.js';
import { type HeldImage, holdOnDisk } from '../../snapshot/prepare/hold-on-disk.js';
import { labelImage, type LabelledImage } from '../../snapshot/prepare/open-image.js';
import { takeSnapshot } from '../../snapshot/take-snapshot.js';
import { limitBandwidth } from '../../store/limit-bandwidth.js';
import { openStore } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';
import { readMachineFile } from '../../vm/machine-file.js';
import { exitCodeOfEvidence, unprovenLines } from '../shared/evidence.js';
import { exitCodes } from '../shared/exit-code.js';
import { formatBytes, formatPercent } from '../shared/format.js';
import { type ImageArguments, openImageArgument } from '../shared/options/image-argument.js';
import { parseBandwidth } from '../shared/options/parse-bandwidth.js';
import type { CommandContext } from '../shared/run-command.js';
import { savingTable } from '../shared/saving-table.js';
import { shortOfCopies } from '../shared/short-of-copies.js';
import type { UploadSource } from './captured-source.js';
import { plannedDiskLines, proofLines, storedDiskLines } from './disk-lines.js';

/** The options that are for every source. */
export interface StoringOptions extends ImageArguments {
  readonly store: string;
  readonly dryRun?: boolean;
  readonly bandwidth?: string;
  readonly codec?: CodecChoice;
  /** Whether there may be fewer DataNodes than a code of the policy has units. */
  readonly allowFewer?: boolean;
}

/** `findDisks` says which disks belong to it, where the source does not. */
export async function uploadSource(
  source: UploadSource,
  policy: NamedPolicy,
  options: StoringOptions,
  context: CommandContext,
  findDisks?: (image: LabelledImage) => UploadDisks,
): Promise<number> {
  const { machinePath } = source;
  const machine = machinePath === undefined ? undefined : await readMachineFile(machinePath);
  const bandwidth = options.bandwidth === undefined ? undefined : parseBandwidth(options.bandwidth);
  // Opened before the store, which may be made by opening it; labelled after, since a wrong URL should not cost that.
  const opened = openImageArgument(source.imagePath, {
    ...options,
    ...(source.format === undefined ? {} : { format: source.format }),
    state: source.statePath,
  });
  const store = await openStore(options.store).catch((error: unknown) => {
    opened.close();
    throw error;
  });
  // Its threads start while the pages are labelled, which keeps this one busy.
  const pool = createFramePool({ isNeededSoon: options.dryRun !== true });
  try {
    await source.expectStill?.();
    const image = labelImage(opened);
    try {
      const disks =
        findDisks?.(image) ??
        (await capturedDisks(source.disks, image, policy.heldLabels.length > 0, context.signal));
      const held = await holdOnDisk(image, policy.heldLabels, disks.compared, context);
      return await uploadLabelled(
        held,
        disks.stored,
        { store: bandwidth === undefined ? store : limitBandwidth(store, bandwidth), pool },
        policy,
        machine,
        source,
        options,
        context,
      );
    } finally {
      image.close();
    }
  } finally {
    await pool.close();
    await store.close();
  }
}

function captureLines({ capture }: UploadSource): readonly string[] {
  return capture === undefined
    ? []
    : [`The VM stood still for ${capture.downtimeMs.toFixed(1)} ms (${capture.way}).`];
}

async function uploadLabelled(
  { map, memory, state, proof }: HeldImage,
  disks: readonly DiskToStore[],
  { store, pool }: { readonly store: Store; readonly pool: FramePool },
  { policy }: NamedPolicy,
  machine: Uint8Array | undefined,
  source: UploadSource,
  options: StoringOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  map.warnings.forEach(warn);
  if (options.dryRun === true) {
    const planned = plannedSaving(planReplication(map, policy));
    const plannedDisks = planDisks(disks, policy);
    await expectCodes(store, { policy, allowFewer: options.allowFewer, signal });
    print(
      {
        dryRun: true,
        evidence: map.evidence,
        kernelProof: map.kernelProof ?? null,
        plan: planned,
        disks: plannedDisks,
        ...proof,
      },
      () => [
        savingTable(planned),
        ...plannedDiskLines(plannedDisks),
        ...proofLines(proof),
        ...unprovenLines(map),
      ],
    );
    return exitCodeOfEvidence(map);
  }
  const result = await takeSnapshot({
    store,
    pool,
    memory,
    map,
    policy,
    allowFewer: options.allowFewer,
    vm: source.vm,
    identity: source.identity,
    createdMs: source.createdMs,
    signal,
    onProgress,
    statePath: source.statePath,
    state,
    machine,
    disks,
    expectStill: source.expectStill,
    codec: options.codec,
  });
  const planned = plannedSaving(result.plan);
  const { header } = result.manifest;
  const stored = storedSaving(header.packs);
  const storedDisks = storedDiskSizes(result.manifest);
  const storedRam = storedSaving(packsOfRam(result.manifest));
  result.underReplicated.map(shortOfCopies).forEach(warn);
  print(
    {
      id: header.id,
      vm: header.vm,
      identity: header.identity ?? null,
      ...(source.capture === undefined ? {} : { capture: source.capture }),
      evidence: map.evidence,
      kernelProof: map.kernelProof ?? null,
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
    () => [
      `snapshot ${header.id} of ${header.vm}: ${formatBytes(storedRam.chosenBytes)} on disks, ` +
        `${formatPercent(planned.total.savingFraction)} saved by label ` +
        `(${formatPercent(1 - storedRam.chosenBytes / planned.total.nativeBytes)} with compression and zero pages` +
        (planned.notStored === undefined
          ? ')'
          : `, and ${planned.notStored.pageCount} pages not stored)`),
      ...storedDiskLines(storedDisks),
      ...proofLines(proof),
      ...unprovenLines(map),
      ...captureLines(source),
    ],
  );
  return result.underReplicated.length > 0 ? exitCodes.underReplicated : exitCodeOfEvidence(map);
}
