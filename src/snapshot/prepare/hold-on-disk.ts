// The labels of an image after a look at the VM's disks: pages whose bytes they were seen to hold become `disk-held`.
import { findFilePlaces } from '../../../introspect/heal/file-places.js';
import type { PageLabel } from '../../../introspect/page-class.js';
import {
  closeGuestDisks,
  type DiskArgument,
  diskNames,
  nameForUnnamed,
  openGuestDisks,
} from '../../disk/guest-disks.js';
import { type ProofCount, type ProvenPages, provePages } from '../../disk/prove-pages.js';
import type { OnProgress } from '../../flow/progress.js';
import { withDiskHeld } from '../../plan/disk-held-pages.js';
import type { LabelledImage } from './open-image.js';

/** What the disks were found to hold, by label; absent when none was asked. */
export interface DiskProof {
  readonly diskHeld?: readonly ProofCount[];
}

export interface HeldImage extends LabelledImage {
  readonly proof: DiskProof;
}

export interface ProofContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly warn: (sentence: string) => void;
}

/** Pages of `labels` that the disks hold are labelled anew. Throws as `openGuestDisks` does. */
export async function holdOnDisk(
  image: LabelledImage,
  labels: readonly PageLabel[],
  disks: readonly DiskArgument[],
  context: ProofContext,
): Promise<HeldImage> {
  const proven = await proveOnDisk(image, disks, context);
  return proven === undefined
    ? { ...image, proof: {} }
    : {
        ...image,
        map: withDiskHeld(image.map, proven.held, labels),
        proof: { diskHeld: proven.counts },
      };
}

/**
 * Undefined when there is nothing to compare. Throws as `openGuestDisks` does, but for what the guest's memory says: that is
 * a warning.
 */
export async function proveOnDisk(
  { introspected, map, memory }: LabelledImage,
  disks: readonly DiskArgument[],
  { warn, signal, onProgress }: ProofContext,
): Promise<ProvenPages | undefined> {
  if (disks.length === 0 || !introspected.found) {
    return undefined;
  }
  const places = findFilePlaces(introspected.kernel, map.labels);
  const { name, warning } = nameForUnnamed(disks, diskNames(places));
  if (warning !== undefined) {
    warn(warning);
  }
  const opened = openGuestDisks(disks, name === undefined ? [] : [name]);
  try {
    const proven = await provePages({ memory, places, disks: opened, signal, onProgress });
    proven.warnings.forEach(warn);
    return proven;
  } finally {
    closeGuestDisks(opened);
  }
}
