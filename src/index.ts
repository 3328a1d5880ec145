// What other programs may use of pars: labels, stores, snapshots and the way back (docs/library.md).
export * from '../introspect/index.js';
export { listSnapshots, loadManifest, resolveId, type SnapshotList } from './catalog/catalog.js';
export { deleteSnapshot, type Deletion, prepareDeletions } from './catalog/delete-snapshots.js';
export { findLeftovers, type Leftover } from './catalog/find-leftovers.js';
export { removeLeftover } from './catalog/remove-leftover.js';
export {
  type DatedSnapshot,
  type KeepReason,
  planRetention,
  type RetentionDecision,
  type RetentionRule,
} from './catalog/retention.js';
export type { OnProgress, Progress } from './flow/progress.js';
export type { LostRun } from './loss/lost-pages.js';
export type { DiskLoss } from './loss/snapshot-loss.js';
export type {
  AddressSpace,
  DiskSpace,
  Manifest,
  ManifestHeader,
  PackEntry,
  RamSpace,
  StoredDisk,
} from './manifest/types.js';
export { labelOf, placeOf, type PagePlace } from './manifest/space/place.js';
export { disksOf, ramOf } from './manifest/space/spaces.js';
export { PageReader, type PageReaderOptions } from './pages/page-reader.js';
export { planReplication } from './plan/plan.js';
export { parsePolicy } from './plan/parse-policy.js';
export {
  buildPolicy,
  defaultPolicy,
  namedPolicies,
  type NamedPolicy,
  type Policy,
  type PolicyName,
} from './plan/policy.js';
export { withDiskHeld } from './plan/disk-held-pages.js';
export {
  closeGuestDisks,
  type DiskArgument,
  diskNames,
  type GuestDisk,
  openGuestDisks,
  parseDiskArgument,
} from './disk/guest-disks.js';
export { type ProofCount, type ProvenPages, provePages } from './disk/prove-pages.js';
export type { ReplicationPlan } from './plan/replication-plan.js';
export { plannedSaving, type PlannedSaving, storedSaving } from './plan/saving.js';
export type { LossScenario, Verdict } from './verify/loss-scenarios.js';
export type { Risk, RiskKind } from './verify/snapshot-risks.js';
export type { Healing } from './restore/heal/healing.js';
export type { RestoreRequest, StreamFormat } from './restore/restore-request.js';
export type {
  RefusedRestore,
  RestoredFiles,
  RestoredStream,
  RestoreResult,
} from './restore/restore-result.js';
export { restoreSnapshot } from './restore/restore-snapshot.js';
export { type Verification, verifySnapshot, type VerifyRequest } from './verify/verify-snapshot.js';
export type { RestoredDisk } from './restore/restored-disk.js';
export type { DiskToStore } from './snapshot/disk-to-store.js';
export {
  type SnapshotRequest,
  type SnapshotResult,
  takeSnapshot,
} from './snapshot/take-snapshot.js';
export type { StateSource } from './snapshot/write-attachment.js';
export type { StoreCapabilities } from './store/capabilities.js';
export { limitBandwidth } from './store/limit-bandwidth.js';
export { openStore, type OpenStoreOptions } from './store/open-store.js';
export type { Redundancy } from './store/redundancy.js';
export type { Store, StoredBlock, StoredFile } from './store/store.js';
export { UnreachableCopies } from './store/unreachable.js';
