// What a manifest says, apart from its bytes (layout.ts, body/layout.ts, FORMAT.md): every page's label and place, whatever
// files that was read from.
import type { DiskHeldPages } from '../../introspect/disk-held.js';
import type { HealingFacts } from '../../introspect/heal/healing-facts.js';
import type { FrameColumns, PlaceColumns } from '../pack/types.js';
import type { CopiesOrCode } from '../store/redundancy.js';

/** A file of frames, and how often it was to be kept, 1..10 times, or in which code. May have been written by an earlier snapshot. */
export type PackEntry = CopiesOrCode & {
  /** Name below the store's root. */
  readonly name: string;
  readonly sizeBytes: number;
};

/** A whole file kept beside the pages, such as the device state. */
export interface Attachment {
  /** What it is: `state`. */
  readonly role: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** A file that a manifest is not whole without, and that is what it was when its hash is. */
export interface HashedFile {
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
  /** The UUID of the machine, as its hypervisor has it: never as a file says that somebody handed over. */
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
  /** The snapshot that this one was made after; it need not be there any more. Absent where nobody said. */
  readonly parent?: string | undefined;
  /** Frames name their pack by its place in this list. */
  readonly packs: readonly PackEntry[];
  /** A base, and what changed since, oldest first. None in version 1, whose files hold all themselves. */
  readonly bodies: readonly HashedFile[];
  /** Hashes of the pages in the packs, by which equal ones are found. Without them less is shared, and nothing is lost. */
  readonly pageHashes: readonly HashedFile[];
  readonly attachments: readonly Attachment[];
  readonly guest: GuestIdentity | null;
  /** 'complete', or what did not add up, for which some pages or all were stored as critical. */
  readonly evidence: string;
  /** Pages per label over all spaces, for `list` and reports: label name to count. A label with no page may be absent. */
  readonly labelCounts: Readonly<Record<string, number>>;
  /** Label name by number, as of writing. */
  readonly legend: readonly string[];
  /** The size of RAM: the sum of its regions. 0 where there are disks alone. */
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
  /** Where the VM had the disk. */
  readonly sourcePath: string;
  /** The format of the VM's image, such as raw or qcow2. What is stored are the raw bytes that the guest sees. */
  readonly sourceFormat: string;
  /** True where the VM's own image is encrypted: what is stored is not. */
  readonly wasEncrypted?: true | undefined;
  /** Exact; the space's last page is filled up with zeroes. */
  readonly sizeBytes: number;
}

/** Columns of equal length: the frames that pages of a snapshot lie in. */
export interface SnapshotFrames extends FrameColumns {
  /** Index in the header's packs. */
  readonly pack: Uint32Array;
}

interface PagedSpace {
  /** What it is known by in every snapshot of the VM, whatever other spaces there are: `ram`, or `disk-NAME`. */
  readonly name: string;
  readonly pageSizeBytes: number;
  /** In image order: guest-physical runs of RAM; of a disk one, from 0. */
  readonly regions: readonly SpaceRegion[];
  readonly labelRuns: LabelRuns;
  /** Ascending by window; masks of one window do not overlap. A page in no mask is all zero. */
  readonly places: PlaceColumns;
}

export interface RamSpace extends PagedSpace {
  readonly kind: 'ram';
  /** What heals lost pages. Absent where none are expendable, and in snapshots of before there was healing. */
  readonly healing?: HealingFacts | undefined;
  /** Where disk images of the snapshot's moment hold pages, by comparison. */
  readonly diskHeld?: DiskHeldPages | undefined;
  /** Labels by number of which no page was stored: each is healed by every restore. */
  readonly notStored?: readonly number[] | undefined;
}

export interface DiskSpace extends PagedSpace {
  readonly kind: 'disk';
  readonly disk: StoredDisk;
}

export type AddressSpace = RamSpace | DiskSpace;

export interface Manifest {
  readonly header: ManifestHeader;
  /** The frames of all spaces. */
  readonly frames: SnapshotFrames;
  /** At least one, and at most one of RAM. */
  readonly spaces: readonly AddressSpace[];
}
