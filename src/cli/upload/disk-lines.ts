// What `pars upload` says of the VM's disks: what storing them takes, and what they were found to hold.
import type { PlannedDisk, StoredDiskSize } from '../../snapshot/prepare/disks-to-store.js';
import type { DiskProof } from '../../snapshot/prepare/hold-on-disk.js';
import { formatBytes, formatPercent } from '../shared/format.js';

export function plannedDiskLines(disks: readonly PlannedDisk[]): readonly string[] {
  return disks.map(
    ({ name, sizeBytes, plannedBytes }) =>
      `The disk ${name} of ${formatBytes(sizeBytes)} takes up to ${formatBytes(plannedBytes)} more (before compression and zero pages).`,
  );
}

export function storedDiskLines(disks: readonly StoredDiskSize[]): readonly string[] {
  return disks.map(
    ({ name, sizeBytes, storedBytes }) =>
      `The disk ${name} of ${formatBytes(sizeBytes)}: ${formatBytes(storedBytes)} more on disks.`,
  );
}

/** One line for each kind of cache that was compared. */
export function proofLines({ diskHeld = [] }: DiskProof): readonly string[] {
  return diskHeld
    .filter(({ pageCount }) => pageCount > 0)
    .map(
      ({ label, pageCount, heldPageCount }) =>
        `The disk holds ${heldPageCount} of ${pageCount} pages of ${label} byte for byte (${formatPercent(heldPageCount / pageCount)}).`,
    );
}
