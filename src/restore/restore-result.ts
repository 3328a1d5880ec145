// What a restore has written, and what it could not have back.
import type { SnapshotLoss } from '../loss/snapshot-loss.js';
import type { Healing } from './heal/healing.js';
import type { RestoredDisk } from './restored-disk.js';

export type RestoreResult = RestoredFiles | RestoredStream | RefusedRestore;

/** A disk that lost anything stops the restore as RAM that is not healed does. */
export interface RestoreOutcome extends SnapshotLoss {
  /** What became of the lost pages of RAM. */
  readonly healing: Healing;
}

export interface RestoredFiles extends RestoreOutcome {
  readonly kind: 'files';
  /** Undefined of a snapshot of disks alone. */
  readonly ramPath: string | undefined;
  /** Undefined of a snapshot without device state. */
  readonly statePath: string | undefined;
  readonly diskPaths: readonly RestoredDisk[];
}

export interface RestoredStream extends RestoreOutcome {
  readonly kind: 'stream';
  /** RAM and device state. */
  readonly streamPath: string;
  readonly diskPaths: readonly RestoredDisk[];
}

/** Pages remain lost and that was not allowed: there is no file. `lostOnDisks` and what is unhealed say why. */
export interface RefusedRestore extends RestoreOutcome {
  readonly kind: 'refused';
}
