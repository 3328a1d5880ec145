// The result of introspection: one label per page of the image, and what is known about the guest.
import type { DiskHeldPages } from '../disk-held.js';
import type { HealingFacts } from '../heal/healing-facts.js';
import type { MemoryRegion } from '../memory/physical-memory.js';

/** How far the labels can be trusted. Only with `complete` and `partial` does any page carry an expendable label. */
export type Evidence =
  | { readonly kind: 'complete' }
  /** Something does not add up: what it bears on carries a critical label, the rest is as good as `complete`. */
  | { readonly kind: 'partial'; readonly reason: string }
  /** No kernel we understand: every page is labelled `unknown`. */
  | { readonly kind: 'no-kernel'; readonly reason: string }
  /** A kernel whose structures do not add up: every page is labelled `unknown`. */
  | { readonly kind: 'inconsistent'; readonly reason: string };

/** Whether the kernel that the labels come from is the one that runs. Without a kernel there is nothing to prove. */
export type KernelProof =
  | { readonly proven: true; readonly cpuCount: number }
  | { readonly proven: false; readonly reason: string };

export interface GuestKernel {
  /** `uname -r`. */
  readonly release: string;
  /** Build id in hex, empty when the kernel does not state one. */
  readonly buildId: string;
}

export interface PageMap {
  readonly regions: readonly MemoryRegion[];
  /** One label number (page-class.ts) per page, in image order. */
  readonly labels: Uint8Array;
  readonly evidence: Evidence;
  /** What a person should know, each a sentence. */
  readonly warnings: readonly string[];
  readonly kernel: GuestKernel | undefined;
  /** Set where the labels come from a kernel. */
  readonly kernelProof?: KernelProof | undefined;
  /** What heals lost pages; absent where no page is expendable anyway. */
  readonly healing?: HealingFacts | undefined;
  /** Where the pages labelled `disk-held` are. */
  readonly diskHeld?: DiskHeldPages | undefined;
}
