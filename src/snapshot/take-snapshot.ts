// A snapshot into a store: plan, packs, device state, then the manifest, which makes it visible.
//
// Whatever happens before the manifest is renamed into place leaves no snapshot; what was written by then is removed,
// as far as the store can still be reached.
import pLimit from 'p-limit';
import type { PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { pageClasses } from '../../introspect/page-class.js';
import type { PageMap } from '../../introspect/page-map.js';
import { ParsError } from '../../introspect/pars-error.js';
import {
  manifestReplication,
  newSnapshotId,
  publishManifest,
  removeUnpublished,
  writeManifest,
} from '../catalog/catalog.js';
import { machineName, packName, partName, stateName, vmName } from '../catalog/names.js';
import { ByteBudget } from '../flow/byte-budget.js';
import { firstCause } from '../flow/first-cause.js';
import type { OnProgress } from '../flow/progress.js';
import { notStoredFeature } from '../manifest/layout.js';
import type { Attachment, Manifest, PackEntry } from '../manifest/types.js';
import { createFramePool } from '../pack/frame-pool.js';
import { defaultBlockSizeBytes, packContentBytes } from '../pack/layout.js';
import type { FrameColumns, PackRequest } from '../pack/types.js';
import { planPacks } from '../plan/pack-plan.js';
import { planReplication } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import type { ReplicationPlan } from '../plan/replication-plan.js';
import type { Store } from '../store/store.js';
import { confirmReplication, type UnderReplicated } from './confirm-replication.js';
import { mergeFrames } from './merge-frames.js';
import { PackContent, type PackSource } from './pack-content.js';
import { stateOfFile, type StateSource, writeAttachment } from './write-attachment.js';

/** Packs sent at a time: one fills the other's waits for the store. */
const packConcurrency = 3;
/** Raw page bytes read and not yet sent, over all packs. */
const budgetBytes = 16 * 2 ** 20;

export interface SnapshotRequest {
  readonly store: Store;
  readonly memory: PhysicalMemory;
  readonly map: PageMap;
  readonly policy: Policy;
  readonly vm: string;
  /** Device state to keep beside the pages. */
  readonly statePath?: string | undefined;
  /** That of the image itself, kept when there is no `statePath`. */
  readonly state?: StateSource | undefined;
  /** The command line of the VM's machine, as src/vm/qemu-command.ts reads it. */
  readonly machine?: Uint8Array | undefined;
  /** One pack is at most one block. */
  readonly blockSizeBytes?: number;
  /** How long to wait for the store to report every copy. */
  readonly replicationTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

export interface SnapshotResult {
  readonly manifest: Manifest;
  /** What the policy made of the labels. */
  readonly plan: ReplicationPlan;
  readonly manifestSizeBytes: number;
  /** Files with fewer live copies than asked for when the wait ended. Empty: every copy is a fact. */
  readonly underReplicated: readonly UnderReplicated[];
}

const defaultReplicationTimeoutMs = 60_000;

export async function takeSnapshot(request: SnapshotRequest): Promise<SnapshotResult> {
  const { store, vm, signal } = request;
  if (!vmName.test(vm)) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(vm)} cannot name a VM here: expected up to 128 of A-Z a-z 0-9 . _ - and no leading dot`,
    );
  }
  const id = newSnapshotId();
  try {
    return await writeSnapshot(request, id);
  } catch (error) {
    // The cause is worth more than what the clean-up says.
    await removeUnpublished(store, id).catch(() => undefined);
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the upload was stopped; nothing of it is left', {
        cause: error,
      });
    }
    throw error;
  }
}

async function writeSnapshot(request: SnapshotRequest, id: string): Promise<SnapshotResult> {
  const { store, map, signal } = request;
  const blockSizeBytes = request.blockSizeBytes ?? defaultBlockSizeBytes;
  const plan = planReplication(map, request.policy);
  const attachments = await writeAttachments(request, id);
  const { packs, frames } = await writePacks(request, id, plan, blockSizeBytes);
  const manifest = buildManifest(request, id, plan, packs, frames, attachments);
  const manifestSizeBytes = await writeManifest(store, manifest, blockSizeBytes, signal);
  const alwaysCritical = [...attachments, { name: partName(id), sizeBytes: manifestSizeBytes }];
  const underReplicated = await confirmReplication(
    store,
    [...packs, ...alwaysCritical.map((file) => ({ ...file, replication: manifestReplication }))],
    request.replicationTimeoutMs ?? defaultReplicationTimeoutMs,
    signal,
  );
  await publishManifest(store, id, signal);
  return { manifest, plan, manifestSizeBytes, underReplicated };
}

async function writeAttachments(
  { store, statePath, state, machine, signal }: SnapshotRequest,
  id: string,
): Promise<readonly Attachment[]> {
  const attachments: Attachment[] = [];
  const source = statePath === undefined ? state : await stateOfFile(statePath);
  if (source !== undefined) {
    attachments.push(await writeAttachment(store, 'state', stateName(id), source, signal));
  }
  if (machine !== undefined) {
    const bytes = { sizeBytes: machine.length, content: () => [machine] };
    attachments.push(await writeAttachment(store, 'machine', machineName(id), bytes, signal));
  }
  return attachments;
}

async function writePacks(
  request: SnapshotRequest,
  id: string,
  plan: ReplicationPlan,
  blockSizeBytes: number,
) {
  const { store, memory, signal, onProgress } = request;
  const requests = planPacks(plan, { packContentBytes: packContentBytes(blockSizeBytes) });
  const pool = createFramePool();
  // A failure ends the other packs too, through the same signal that the caller's Ctrl-C uses.
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(packConcurrency);
  const totalBytes = storedPageCount(plan) * pageSizeBytes;
  let doneBytes = 0;
  const source: PackSource = {
    memory,
    pool,
    budget: new ByteBudget(budgetBytes),
    onPages: (sizeBytes) => {
      doneBytes += sizeBytes;
      onProgress?.({ phase: 'storing pages', doneBytes, totalBytes });
    },
  };
  const writeOne = async (packRequest: PackRequest, index: number) => {
    stop.throwIfAborted();
    const content = new PackContent(source, packRequest);
    const name = packName(id, index);
    const { replication } = packRequest;
    const sizeBytes = await store.write(name, () => content.content(), {
      replication,
      blockSizeBytes,
      signal: stop,
    });
    const entry: PackEntry = { name, sizeBytes, replication };
    return { entry, frames: content.frames() };
  };
  try {
    const work = requests.map((packRequest, index) =>
      limit(async () => {
        try {
          return await writeOne(packRequest, index);
        } catch (error) {
          failed.abort();
          throw error;
        }
      }),
    );
    const settled = await Promise.allSettled(work);
    const failure = firstCause(settled);
    if (failure !== undefined) {
      throw failure;
    }
    const written = settled
      .filter((result) => result.status === 'fulfilled')
      .map((result) => result.value);
    const packs: PackEntry[] = [];
    const frames: { readonly pack: number; readonly columns: FrameColumns }[] = [];
    written.forEach(({ entry, frames: batches }) => {
      for (const columns of batches) {
        frames.push({ pack: packs.length, columns });
      }
      packs.push(entry);
    });
    return { packs, frames: mergeFrames(frames) };
  } finally {
    await pool.close();
  }
}

function storedPageCount({ replication, runPageCount }: ReplicationPlan): number {
  return runPageCount.reduce((sum, count, run) => (replication[run] === 0 ? sum : sum + count), 0);
}

function buildManifest(
  { map, memory, vm }: SnapshotRequest,
  id: string,
  plan: ReplicationPlan,
  packs: readonly PackEntry[],
  frames: Manifest['spaces'][number]['frames'],
  attachments: readonly Attachment[],
): Manifest {
  const notStored = [...new Set(plan.label.filter((_, run) => plan.replication[run] === 0))];
  const labelCounts: Record<string, number> = {};
  plan.label.forEach((label, run) => {
    const name = pageClasses[label].label;
    labelCounts[name] = (labelCounts[name] ?? 0) + plan.runPageCount[run];
  });
  return {
    header: {
      id,
      vm,
      createdMs: Date.now(),
      requiredFeatures: notStored.length === 0 ? [] : [notStoredFeature],
      packs,
      attachments,
      guest: map.kernel ?? null,
      evidence: map.evidence.kind === 'complete' ? 'complete' : map.evidence.reason,
      labelCounts,
      legend: pageClasses.map((entry) => entry.label),
      imageSizeBytes: memory.sizeBytes,
    },
    spaces: [
      {
        name: 'ram',
        pageSizeBytes,
        regions: map.regions.map(({ gpaStart, sizeBytes }) => ({ start: gpaStart, sizeBytes })),
        labelRuns: {
          label: plan.label,
          firstPage: plan.firstPage,
          pageCount: plan.runPageCount,
        },
        frames,
        pageHashes: null,
        healing: map.healing,
        diskHeld: map.diskHeld,
        notStored: notStored.length === 0 ? undefined : notStored,
      },
    ],
  };
}
