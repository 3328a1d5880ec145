// The one place where the harness meets what it judges: RAM, and the CPUs if they are known, in; labels out.
import type { Kernel } from '../../introspect/kernel/kernel.js';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import type { PageMap } from '../../introspect/label/page-map.js';
import { readCpuStates } from '../../introspect/memory/device-state.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import type { ForgedRam } from './forged-ram.js';

/** Where the CPUs' registers can be read: QEMU's device state, as `--state` takes it. */
export interface CpuState {
  readonly statePath: string;
}

export interface Labelled {
  readonly map: PageMap;
  /** Frames that the labels were made from. */
  readonly evidence: Uint8Array;
  /** The kernel that they are of. */
  readonly kernel: Kernel | undefined;
}

export function imageOf(ram: ForgedRam): MemoryImage {
  return { format: 'raw', views: [ram], close: () => undefined };
}

export function label(ram: ForgedRam, cpuState?: CpuState): Labelled {
  const cpus = cpuState === undefined ? undefined : readCpuStates(cpuState.statePath);
  const introspected = findKernel({ ...imageOf(ram), ...(cpus === undefined ? {} : { cpus }) });
  const { result, reads } = ram.noteReads(() => classify(introspected));
  return {
    map: result,
    evidence: reads,
    kernel: introspected.found ? introspected.kernel : undefined,
  };
}
