// What a manifest says, apart from its bytes (layout.ts, FORMAT.md). It names every page's label and place itself, so
// a restore reads one manifest and never a chain.
import type { DiskHeldPages } from '../../introspect/disk-held.js';
import type { HealingFacts } from '../../introspect/healing-facts.js';
import type { FrameColumns } from '../pack/types.js';

/** A file of frames. May have been written by an earlier snapshot. */
export interface PackEntry {
  /** Name below the store's root. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Copies asked for, 1..10. */
  readonly replication: number;
}

/** A whole file kept beside the pages, such as the device state. */
export interface Attachment {
  /** What it is: `state`. */
  readonly role: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

export interface GuestIdentity {
  readonly release: string;
  readonly buildId: string;
}

/**
 * Which VM this is, apart from what it is called: two VMs may have one name. Two snapshots are of the same VM only where all
 * of it is the same.
 */
export interface VmIdentity {
  /** Of the machine, as its hypervisor has it: never as a file says that somebody handed over. */
  readonly uuid?: string | undefined;
  /** A number or name that is the VM's own within `host`, such as `proxmox:105`; without a host, in all of the store. */
  readonly id?: string | undefined;
  /** Where it ran, or where its files were taken. */
  readonly host?: string | undefined;
}

/** Small, read alone by `list`: everything but the columns. */
export interface ManifestHeader {
  /** One segment of a store name: it stands in paths. */
  readonly id: string;
  /** As vm-name.ts says: it stands in no path. The feature `names` where it is not A-Z a-z 0-9 . _ - alone. */
  readonly vm: string;
  /** Absent in snapshots of before it was recorded, and of images that nobody said it of. */
  readonly identity?: VmIdentity | undefined;
  /** Milliseconds since 1970, UTC. */
  readonly createdMs: number;
  /** Features a reader must know, by name; an unknown one is refused by name. */
  readonly requiredFeatures: readonly string[];
  /** Frames name their pack by its place in this list. */
  readonly packs: readonly PackEntry[];
  readonly attachments: readonly Attachment[];
  readonly guest: GuestIdentity | null;
  /** 'complete', or what did not add up, for which some pages or all were stored as critical. */
  readonly evidence: string;
  /** Pages per label over all spaces, for `list` and reports: label name to count. A label with no page may be absent. */
  readonly labelCounts: Readonly<Record<string, number>>;
  /** Label name by number, as of writing. */
  readonly legend: readonly string[];
  /** Sum of the first space's regions. */
  readonly imageSizeBytes: number;
}

export interface SpaceRegion {
  /** In bytes. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** Run-length coded labels: columns of equal length, ascending by firstPage, that cover every page once. */
export interface LabelRuns {
  readonly label: Uint8Array;
  /** Page index in image order. Not in the file: the sum of the counts before it, there so a page can be searched. */
  readonly firstPage: Uint32Array;
  readonly pageCount: Uint32Array;
}

/** Where a disk comes from, for a VM that is to find it again. */
export interface StoredDisk {
  /** The VM's name for it, such as vda. */
  readonly name: string;
  /** Where the VM had it, */
  readonly sourcePath: string;
  /** and as what, such as raw or qcow2. What is stored are the raw bytes that the guest sees. */
  readonly sourceFormat: string;
  /** True where the VM's own image is encrypted: what is stored is not. */
  readonly wasEncrypted?: true | undefined;
  /** Exact; the space's last page is filled up with zeroes. */
  readonly sizeBytes: number;
}

/** RAM, which comes first, or a disk. */
export interface AddressSpace {
  readonly name: string;
  readonly pageSizeBytes: number;
  /** Guest-physical runs in image order; of a disk one, from 0. */
  readonly regions: readonly SpaceRegion[];
  readonly labelRuns: LabelRuns;
  /** Ascending by window; masks of one window do not overlap. A page in no mask is all zero. */
  readonly frames: FrameColumns & { readonly pack: Uint32Array };
  /** Optional: xxh64 of each page, 8 bytes little-endian per page, in image order. */
  readonly pageHashes: Uint8Array | null;
  /** What heals lost pages. Absent where none are expendable, and in snapshots of before there was healing. */
  readonly healing?: HealingFacts | undefined;
  /** Where disk images of the snapshot's moment hold pages, by comparison. */
  readonly diskHeld?: DiskHeldPages | undefined;
  /** Labels by number of which no page was stored: each is healed by every restore. The feature `not-stored`. */
  readonly notStored?: readonly number[] | undefined;
  /** Set for a disk. The feature `disks`. */
  readonly disk?: StoredDisk | undefined;
}

export interface Manifest {
  readonly header: ManifestHeader;
  readonly spaces: readonly AddressSpace[];
}
