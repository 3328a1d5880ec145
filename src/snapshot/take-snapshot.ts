// A snapshot into a store: plan, packs, device state, then the manifest, which makes it visible.
//
// Whatever happens before the manifest is renamed into place leaves no snapshot; what was written by then is removed,
// as far as the store can still be reached.
import type { PageMap } from '../../introspect/label/page-map.js';
import type { PhysicalMemory } from '../../introspect/memory/physical-memory.js';
import { ParsError } from '../../introspect/pars-error.js';
import {
  newSnapshotId,
  publishManifest,
  removeUnpublished,
  replicationBeside,
  writeManifest,
} from '../catalog/catalog.js';
import { type Claim, claimUpload } from '../catalog/claim.js';
import { machineName, partName, stateName } from '../catalog/names.js';
import { expectVmName } from '../catalog/vm-name.js';
import { moment } from '../flow/bounded.js';
import { allOf } from '../flow/first-cause.js';
import type { OnProgress } from '../flow/progress.js';
import type { Attachment, Manifest, VmIdentity } from '../manifest/types.js';
import type { CodecChoice } from '../pack/codec/codec-choice.js';
import { createFramePool, type FramePool } from '../pack/frame-pool.js';
import { defaultBlockSizeBytes } from '../pack/layout.js';
import { planReplication } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import type { ReplicationPlan } from '../plan/replication-plan.js';
import type { UnderReplicated } from '../store/block-state.js';
import { copiesWorth, redundancyOf } from '../store/redundancy.js';
import type { Store } from '../store/store.js';
import { buildManifest } from './build-manifest.js';
import { confirmReplication } from './confirm-replication.js';
import {
  closeDisksToStore,
  type DiskToStore,
  openDisksToStore,
  type OpenedDisk,
} from './disk-to-store.js';
import { expectCodes } from './expect-codes.js';
import { hashReplication } from './hash-files.js';
import { stateOfFile, type StateSource, writeAttachment } from './write-attachment.js';
import { type PacksRequest, writePacks, type WrittenPacks } from './write-packs.js';

export interface SnapshotRequest {
  readonly store: Store;
  readonly memory: PhysicalMemory;
  readonly map: PageMap;
  readonly policy: Policy;
  /** Take a cluster with fewer nodes than a code of the policy has units. */
  readonly allowFewer?: boolean | undefined;
  readonly vm: string;
  /** Which VM it is, apart from its name. */
  readonly identity?: VmIdentity | undefined;
  /** Device state to keep beside the pages. */
  readonly statePath?: string | undefined;
  /** The device state of the image itself, kept when there is no `statePath`. */
  readonly state?: StateSource | undefined;
  /** The command line of the VM's machine, as src/vm/qemu/qemu-command.ts reads it. */
  readonly machine?: Uint8Array | undefined;
  /** The VM's disks as they were at the same moment. */
  readonly disks?: readonly DiskToStore[];
  /** The moment of the snapshot, in milliseconds since 1970, UTC; now by default. */
  readonly createdMs?: number | undefined;
  /** One pack is at most one block. */
  readonly blockSizeBytes?: number;
  /** What pages are packed by; `auto` by default. */
  readonly codec?: CodecChoice | undefined;
  /** How long to wait for the store to report every copy. */
  readonly replicationTimeoutMs?: number;
  /** Threads that run already; by default the snapshot has its own. */
  readonly pool?: FramePool | undefined;
  /** Asked once all pages are stored: throws when the memory was not of one moment, and nothing is published then. */
  readonly expectStill?: (() => Promise<void>) | undefined;
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
  expectVmName(vm, 'give another with --name');
  expectMoment(request.createdMs);
  await expectCodes(store, request);
  const disks = openDisksToStore(request.disks ?? []);
  const id = newSnapshotId();
  let claim: Claim | undefined;
  try {
    claim = await claimUpload(store, id, signal);
    const signals = [claim.lost, ...(signal === undefined ? [] : [signal])];
    const stoppable = { ...request, signal: AbortSignal.any(signals) };
    const result = await writeSnapshot(stoppable, id, disks, claim);
    // The snapshot is there; a claim that stays is removed by the next `pars prune`.
    await claim.release().catch(() => undefined);
    return result;
  } catch (error) {
    await cleanUp(store, id, claim);
    if (signal?.aborted === true) {
      throw new ParsError('cancelled', 'the upload was stopped; nothing of it is left', {
        cause: error,
      });
    }
    if (claim?.lost.aborted === true) {
      throw claim.lost.reason;
    }
    throw error;
  } finally {
    closeDisksToStore(disks);
  }
}

/** Never fails: the cause is worth more than what the clean-up says. */
async function cleanUp(store: Store, id: string, claim: Claim | undefined): Promise<void> {
  if (claim === undefined) {
    return;
  }
  try {
    await removeUnpublished(store, id);
    await claim.release();
  } catch {
    await claim.stop();
  }
}

function expectMoment(createdMs: number | undefined): void {
  if (createdMs !== undefined && !moment.safeParse(createdMs).success) {
    throw new ParsError(
      'usage',
      `expected the moment of the snapshot in milliseconds since 1970, up to the year 9999, found ${createdMs}`,
    );
  }
}

async function writeSnapshot(
  request: SnapshotRequest,
  id: string,
  disks: readonly OpenedDisk[],
  claim: Claim,
): Promise<SnapshotResult> {
  const { store, vm, memory, map, policy, signal, createdMs = Date.now() } = request;
  const blockSizeBytes = request.blockSizeBytes ?? defaultBlockSizeBytes;
  const plan = planReplication(map, policy);
  const { attachments, written } = await writeContent(request, id, {
    spaces: [
      { pages: memory, plan },
      ...disks.map((disk) => ({ pages: disk.pages, plan: disk.plan(policy.disk) })),
    ],
    blockSizeBytes,
    codec: request.codec ?? 'auto',
  });
  disks.forEach((disk) => {
    disk.expectUnchanged();
  });
  await request.expectStill?.();
  const built = buildManifest({
    id,
    vm,
    identity: request.identity,
    createdMs,
    map,
    plan,
    disks: disks.map(({ disk: { name, sourcePath, sourceFormat, wasEncrypted }, sizeBytes }) => ({
      name,
      sourcePath,
      sourceFormat,
      wasEncrypted,
      sizeBytes,
    })),
    written,
    attachments,
  });
  const { manifest, manifestSizeBytes } = await writeManifest(store, built, blockSizeBytes, signal);
  const { bodies, pageHashes } = manifest.header;
  const alwaysCritical = [
    ...attachments,
    ...bodies,
    { name: partName(id), sizeBytes: manifestSizeBytes },
  ];
  const underReplicated = await confirmReplication(
    store,
    [
      ...written.packs.map((pack) => ({ ...pack, replication: copiesWorth(redundancyOf(pack)) })),
      ...pageHashes.map((file) => ({ ...file, replication: hashReplication })),
      ...alwaysCritical.map((file) => ({ ...file, replication: replicationBeside(written.packs) })),
    ],
    request.replicationTimeoutMs ?? defaultReplicationTimeoutMs,
    signal,
  );
  // After the manifest is on its way, and not before: see src/catalog/claim.ts.
  await claim.confirm();
  await publishManifest(store, id, signal).catch(async (error: unknown) => {
    // The manifest on its way may have been taken along with the claim: then the claim says it better.
    await claim.confirm();
    throw error;
  });
  return { manifest, plan, manifestSizeBytes, underReplicated };
}

/** The packs, and beside them what is small. When one fails, the other ends too. */
async function writeContent(
  request: SnapshotRequest,
  id: string,
  packs: Pick<PacksRequest, 'spaces' | 'blockSizeBytes' | 'codec'>,
): Promise<{ readonly attachments: readonly Attachment[]; readonly written: WrittenPacks }> {
  const { store, signal, onProgress } = request;
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const pool = request.pool ?? createFramePool();
  try {
    const work = [
      writeAttachments({ ...request, signal: stop }, id),
      writePacks({ ...packs, store, id, pool, signal: stop, onProgress }),
    ] as const;
    for (const part of work) {
      part.catch(() => {
        failed.abort();
      });
    }
    const [attachments, written] = await allOf(work);
    return { attachments, written };
  } finally {
    if (request.pool === undefined) {
      await pool.close();
    }
  }
}

async function writeAttachments(
  { store, policy, statePath, state, machine, signal }: SnapshotRequest,
  id: string,
): Promise<readonly Attachment[]> {
  const attachments: Attachment[] = [];
  const codes = Object.values(policy).filter((kept) => typeof kept !== 'number');
  const copyCount = replicationBeside(codes.map((code) => ({ code })));
  const source = statePath === undefined ? state : await stateOfFile(statePath);
  if (source !== undefined) {
    attachments.push(
      await writeAttachment(store, 'state', stateName(id), source, copyCount, signal),
    );
  }
  if (machine !== undefined) {
    const bytes = { sizeBytes: machine.length, content: () => [machine] };
    attachments.push(
      await writeAttachment(store, 'machine', machineName(id), bytes, copyCount, signal),
    );
  }
  return attachments;
}
