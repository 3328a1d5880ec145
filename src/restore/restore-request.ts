// What a restore can be asked.
import type { GuestDisk } from '../disk/guest-disks.js';
import type { OnProgress } from '../flow/progress.js';
import type { Manifest } from '../manifest/types.js';
import type { Store } from '../store/store.js';

/** RAM and device state in one file, as QEMU's -incoming or `virsh restore` loads it. */
export type StreamFormat = 'migration' | 'libvirt-save';

export interface RestoreRequest {
  readonly store: Store;
  readonly manifest: Manifest;
  /**
   * Made when missing. The files to be written must not exist in it: `ram` and `state`, or one named as the format, and
   * `disk-NAME.img` for each disk.
   */
  readonly folder: string;
  /**
   * What to write; RAM lies in the folder meanwhile, so a stream takes twice its room. `resumable`: raw or a stream, as
   * QEMU takes the device state back. Raw by default.
   */
  readonly format?: 'raw' | 'resumable' | StreamFormat | undefined;
  /** Write what can be had although pages are lost that cannot be healed. */
  readonly allowLost: boolean;
  /** Do so for every lost page: none is healed. */
  readonly noHeal?: boolean;
  /**
   * Take pages for lost that the store has and this machine cannot reach. Else such a page ends the restore with
   * UnreachableCopies, and nothing is written.
   */
  readonly healUnreachable?: boolean;
  /**
   * Disk images of the snapshot's moment, for the pages that were stored as what they hold. They go before the disks that
   * were stored with it, which hold the same.
   */
  readonly disks?: readonly GuestDisk[];
  /** Leave out the disks that were stored with it. */
  readonly withoutDisks?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}
