// Finds the kernel in an image, and with it the layout where the image does not state one.
//
// VMCOREINFO is found by position in the image, whatever the layout. Then each layout is tried: only with the right one
// do the page tables lead to the kernel, and does the memory that its zones own end where the image does.
import { type Kernel, kernelBehind } from './kernel/kernel.js';
import { scanVmcoreinfo, type Vmcoreinfo } from './kernel/vmcoreinfo.js';
import { dataOf } from './memory/image-data.js';
import type { MemoryImage } from './memory/memory-image.js';
import { endPfn, type Gpa, pageSizeBytes, type PhysicalMemory } from './memory/physical-memory.js';
import { Inconsistency } from './mm/inconsistency.js';
import { readZones, type Zone } from './mm/zone.js';
import { reasonWithoutKernel } from './no-kernel.js';
import { ParsError } from './pars-error.js';

/** The image's memory, and the kernel in it if there is one to believe. */
export type Introspected =
  | {
      readonly found: true;
      readonly memory: PhysicalMemory;
      readonly kernel: Kernel;
      readonly zones: readonly Zone[];
    }
  | { readonly found: false; readonly memory: PhysicalMemory; readonly reason: string };

type Attempt =
  | (Introspected & { readonly found: true; readonly slackPageCount: number })
  | {
      readonly found: false;
      readonly reason: string;
      readonly highestMissing?: Gpa | undefined;
    };

/**
 * Reads the image up to its VMCOREINFO page. Throws `image-invalid` when the kernel has RAM beyond the image's end:
 * the image is truncated, or only a part.
 */
export function findKernel({ views, unsupported }: MemoryImage): Introspected {
  if (unsupported !== undefined) {
    return { found: false, memory: views[0], reason: unsupported };
  }
  const imageEnd = Math.max(...views.map((view) => endPfn(view.regions))) * pageSizeBytes;
  let reason: string | undefined;
  let highestMissing = 0;
  for (const candidate of candidatesIn(views[0])) {
    const attempts = views.map((view) => attempt(view, candidate));
    const found = attempts.filter((entry) => entry.found);
    const fitting = found
      .filter((entry) => entry.slackPageCount >= 0)
      // The right layout ends where the kernel's memory does, but for firmware tables at the very top.
      .sort((a, b) => a.slackPageCount - b.slackPageCount);
    if (fitting.length > 0) {
      return fitting[0];
    }
    highestMissing = Math.max(
      highestMissing,
      ...found.map(({ zones }) => highestEnd(zones) * pageSizeBytes),
      ...attempts.flatMap((entry) => (entry.found ? [] : (entry.highestMissing ?? []))),
    );
    const failure = attempts.find((entry) => !entry.found);
    reason = `VMCOREINFO of ${candidate.release}: ${failure?.reason ?? ''}`;
  }
  if (highestMissing >= imageEnd) {
    throw truncated(highestMissing, imageEnd);
  }
  return { found: false, memory: views[0], reason: reason ?? reasonWithoutKernel(views[0]) };
}

/** Looks only where the image may hold anything: a large guest's image is mostly holes. */
function* candidatesIn(memory: PhysicalMemory): Generator<Vmcoreinfo> {
  for (const data of dataOf(memory)) {
    yield* scanVmcoreinfo(data);
  }
}

function attempt(memory: PhysicalMemory, candidate: Vmcoreinfo): Attempt {
  const result = kernelBehind(memory, candidate);
  if (!result.found) {
    return result;
  }
  try {
    const zones = readZones(result.kernel);
    const slackPageCount = endPfn(memory.regions) - highestEnd(zones);
    return { found: true, memory, kernel: result.kernel, zones, slackPageCount };
  } catch (error) {
    if (error instanceof Inconsistency) {
      const { highestMissing } = result.kernel.memory;
      return { found: false, reason: error.message, highestMissing };
    }
    throw error;
  }
}

function highestEnd(zones: readonly Zone[]): number {
  return Math.max(...zones.map((zone) => zone.endPfn));
}

function truncated(kernelUses: Gpa, imageEnd: Gpa): ParsError {
  return new ParsError(
    'image-invalid',
    `the image is truncated: its kernel has RAM up to 0x${kernelUses.toString(16)} at least, ` +
      `the image ends at 0x${imageEnd.toString(16)}. Take the snapshot again, ` +
      'or join the files if the VM keeps its RAM in several',
  );
}
