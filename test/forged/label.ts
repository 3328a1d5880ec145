// The one place where the harness meets what it judges: RAM, and the CPUs if they are known, in; labels out.
import { classify } from '../../introspect/classify.js';
import { findKernel } from '../../introspect/find-kernel.js';
import type { MemoryImage } from '../../introspect/memory/memory-image.js';
import type { PageMap } from '../../introspect/page-map.js';
import type { ForgedRam } from './forged-ram.js';

/** What each CPU's registers hold. */
export type CpuState = undefined;

export interface Labelled {
  readonly map: PageMap;
  /** Frames that the labels were made from. */
  readonly evidence: Uint8Array;
}

export function imageOf(ram: ForgedRam): MemoryImage {
  return { format: 'raw', views: [ram], close: () => undefined };
}

export function label(ram: ForgedRam, _cpuState?: CpuState): Labelled {
  const introspected = findKernel(imageOf(ram));
  const { result, reads } = ram.noteReads(() => classify(introspected));
  return { map: result, evidence: reads };
}
