// What saving a VM's RAM takes and gives, whichever way.
import type { OnProgress } from '../../../flow/progress.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import type { CapturedDisk } from '../disks/save-disks.js';
import type { CaptureGuard } from '../guard/capture-guard.js';
import type { Journal } from '../journal.js';
import type { CaptureWay } from '../plan-capture.js';
import type { VmDisk, VmFacts } from '../vm-facts.js';

export interface SaveRequest {
  readonly qmp: QmpClient;
  /** The process of QEMU; undefined when it is not to be seen from here. */
  readonly pid: number | undefined;
  readonly guard: CaptureGuard;
  readonly facts: VmFacts;
  readonly way: CaptureWay;
  readonly disks: readonly VmDisk[];
  readonly folder: string;
  readonly maxDowntimeMs?: number | undefined;
  readonly bandwidthBytesPerSecond?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal: AbortSignal;
  /** Before and after the VM stands still. */
  readonly setPhase: (phase: Journal['phase']) => Promise<void>;
}

/** All is in the files, and the VM runs; filters may still be before its disks. */
export interface SavedVm {
  readonly imagePath: string;
  readonly format: 'migration' | 'raw';
  /** Undefined where the image is a whole stream. */
  readonly statePath: string | undefined;
  readonly disks: readonly CapturedDisk[];
  /** The moment, in milliseconds since 1970. */
  readonly atMs: number;
  /** By QEMU's clock. */
  readonly downtimeMs: number;
}
