// The one place where the harness meets what it judges: RAM, and the CPUs if they are known, in; labels out.
import { classify } from '../../introspect/classify.js';
import { findKernel } from '../../introspect/find-kernel.js';
import type { Kernel } from '../../introspect/kernel/kernel.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import type { PageMap } from '../../introspect/page-map.js';
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
  /** What was known of the CPUs. Labelling does not ask for it yet. */
  readonly cpuState: CpuState | undefined;
}

export function imageOf(ram: ForgedRam): MemoryImage {
  return { format: 'raw', views: [ram], close: () => undefined };
}

export function label(ram: ForgedRam, cpuState?: CpuState): Labelled {
  const introspected = findKernel(imageOf(ram));
  const { result, reads } = ram.noteReads(() => classify(introspected));
  return {
    map: result,
    evidence: reads,
    kernel: introspected.found ? introspected.kernel : undefined,
    cpuState,
  };
}
