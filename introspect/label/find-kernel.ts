// Finds the kernel that runs in an image, and with it the layout where the image does not state one.
//
// VMCOREINFO is found by position in the image, whatever the layout. Then each layout is tried: only with the right one
// do the page tables lead to the kernel, does it have RAM nowhere else by its own tree of resources, and does the memory
// that its zones own end where the image does.
//
// More than one kernel may lie in RAM: a dead one after a reset or kexec, and what a program laid out to deceive. Where a
// device state says on which page tables the CPUs run, only a kernel with those fits; and no second one can, as what these
// tables map as the kernel's own names the one page that holds its VMCOREINFO. Without, the whole image is looked through,
// and two kernels that fit are one too many.
import { Inconsistency, reasonOf } from '../inconsistency.js';
import { isStated, layoutsWithHotPlugged } from '../kernel/hot-plugged.js';
import { type Kernel, kernelBehind, noBtf } from '../kernel/kernel.js';
import { type RamRange, systemRam } from '../kernel/system-ram.js';
import { readTaskMemory } from '../kernel/tasks.js';
import { doubtOfTrampoline } from '../kernel/trampoline.js';
import { scanVmcoreinfo, type VmcoreinfoPage } from '../kernel/vmcoreinfo.js';
import type { CpuState, CpuStates } from '../memory/cpu-state.js';
import { layoutByAddress } from '../memory/formats/raw-file.js';
import { dataOf } from '../memory/image-data.js';
import type { MemoryImage } from '../memory/memory-image.js';
import {
  endPfn,
  type Gpa,
  gpaOf,
  type MemoryRegion,
  pageSizeBytes,
  type PhysicalMemory,
  regionAt,
} from '../memory/physical-memory.js';
import { expectZonesOfNodes } from '../mm/zones/stated-zones.js';
import { readZones, type Zone } from '../mm/zones/zone.js';
import { ParsError } from '../pars-error.js';
import { reasonWithoutKernel } from './no-kernel.js';

/** Whether the kernel found is the one that runs, and on what that rests. */
export type Running =
  | { readonly proven: true; readonly cpus: readonly CpuState[] }
  /** Nothing in the image speaks against it; but no CPU was seen. */
  | { readonly proven: false; readonly reason: string };

/** The image's memory, and the kernel in it if there is one to believe. */
export type Introspected =
  | {
      readonly found: true;
      readonly memory: PhysicalMemory;
      readonly kernel: Kernel;
      readonly zones: readonly Zone[];
      readonly running: Running;
    }
  | { readonly found: false; readonly memory: PhysicalMemory; readonly reason: string };

interface Fit {
  readonly memory: PhysicalMemory;
  readonly kernel: Kernel;
  readonly zones: readonly Zone[];
  readonly slackPageCount: number;
}

type Attempt =
  | (Fit & { readonly found: true })
  | {
      readonly found: false;
      readonly reason: string;
      readonly highestMissing?: Gpa | undefined;
      readonly isMisplaced?: boolean;
      readonly wasSearched?: boolean;
    };

const misplaced =
  '; if its RAM lies otherwise in memory than a machine with this much has it, IMAGE.map.json beside a raw image says how, ' +
  'and an ELF core (QEMU `dump-guest-memory FILE`) does so itself';
const noCpus: CpuStates = { known: false, reason: 'no device state was given' };
/** How many VMCOREINFO pages are looked at. A boot leaves one or two in RAM; a guest can fill its RAM with them. */
const candidateLimit = 1024;
/** For how many kernels with page tables, which no dead kernel has for long, symbols are searched: each takes seconds. */
const searchLimit = 8;
/** For so many, other layouts than those of the image's size are tried: some dozens of attempts each. */
const otherLayoutsLimit = 4;

/**
 * Looks for the kernel that runs, by the CPUs where the image says anything of them. A kernel with RAM beyond the image's
 * end is not believed. That is no error: only the guest says so, and what a guest writes must not stop its own backup.
 */
export function findKernel({
  views,
  viewAt,
  unsupported,
  cpus = noCpus,
}: MemoryImage): Introspected {
  const notFound = (reason: string): Introspected => ({ found: false, memory: views[0], reason });
  if (unsupported !== undefined) {
    return notFound(unsupported);
  }
  const imageEnd = Math.max(...views.map((view) => endPfn(view.regions))) * pageSizeBytes;
  let reason: string | undefined;
  let highestMissing = 0;
  let candidateCount = 0;
  let searchCount = 0;
  let only: Fit | undefined;
  let otherLayoutsCount = 0;
  for (const candidate of candidatesIn(views[0])) {
    if (++candidateCount > candidateLimit || searchCount === searchLimit) {
      return notFound(
        `too many pages claim to be VMCOREINFO (${candidateCount}); the last one: ${reason ?? 'it fits'}`,
      );
    }
    const attempts = views.map((view) => attempt(view, candidate, cpus, viewAt !== undefined));
    const found = attempts.filter((entry) => entry.found);
    const missing = Math.max(
      0,
      ...found.map(({ zones }) => highestEnd(zones) * pageSizeBytes),
      ...attempts.flatMap((entry) => (entry.found ? [] : (entry.highestMissing ?? []))),
    );
    let fitting: Fit | undefined = found
      .filter((entry) => entry.slackPageCount >= 0)
      // The right layout ends where the kernel's memory does, but for firmware tables at the very top.
      .sort((a, b) => a.slackPageCount - b.slackPageCount)
      .at(0);
    if (fitting === undefined && viewAt !== undefined && ++otherLayoutsCount <= otherLayoutsLimit) {
      fitting =
        byAddress(views[0], viewAt, candidate, cpus) ??
        withHotPlugged(views[0], missing, viewAt, candidate, cpus);
    }
    if (fitting !== undefined) {
      if (cpus.known) {
        return believed(fitting, { proven: true, cpus: cpus.cpus });
      }
      if (only !== undefined) {
        return notFound(
          `two kernels fit, Linux ${only.kernel.release} and Linux ${fitting.kernel.release}, ` +
            `and ${cpus.reason}: which of them runs is not known`,
        );
      }
      only = fitting;
      continue;
    }
    highestMissing = Math.max(highestMissing, missing);
    const failure = attempts.find((entry) => !entry.found);
    const isMisplaced =
      viewAt !== undefined && attempts.every((entry) => !entry.found && entry.isMisplaced === true);
    reason = `VMCOREINFO of ${candidate.vmcoreinfo.release}: ${failure?.reason ?? ''}${isMisplaced ? misplaced : ''}`;
    if (attempts.some((entry) => entry.found || entry.wasSearched)) {
      searchCount++;
    }
  }
  if (only !== undefined && !cpus.known) {
    const doubt = only.kernel.hasBtf
      ? (doubtOfTrampoline(only.kernel) ?? doubtOfProcesses(only.kernel))
      : `${noBtf}, so that only the CPUs could show that it runs, and ${cpus.reason}`;
    return doubt === undefined
      ? believed(only, { proven: false, reason: cpus.reason })
      : notFound(`Linux ${only.kernel.release}: ${doubt}`);
  }
  if (highestMissing >= imageEnd) {
    return notFound(truncated(highestMissing, imageEnd));
  }
  return notFound(reason ?? reasonWithoutKernel(views[0]));
}

/** By the layout in which offsets are addresses, where the size alone says another. */
function byAddress(
  { sizeBytes, regions }: PhysicalMemory,
  viewAt: NonNullable<MemoryImage['viewAt']>,
  candidate: VmcoreinfoPage,
  cpus: CpuStates,
): Fit | undefined {
  if (regions.length === 1) {
    return undefined;
  }
  const entry = attempt(viewAt(layoutByAddress(sizeBytes)), candidate, cpus, true);
  return entry.found && entry.slackPageCount >= 0 ? entry : undefined;
}

/** By one of the layouts with a device of hot-plugged memory, if it is the one that the kernel itself states. */
function withHotPlugged(
  { sizeBytes }: PhysicalMemory,
  missing: Gpa,
  viewAt: NonNullable<MemoryImage['viewAt']>,
  candidate: VmcoreinfoPage,
  cpus: CpuStates,
): Fit | undefined {
  for (const regions of layoutsWithHotPlugged(sizeBytes, missing)) {
    const entry = attempt(viewAt(regions), candidate, cpus, true);
    if (entry.found && entry.slackPageCount >= 0 && isStatedLayout(entry.kernel, regions)) {
      return entry;
    }
  }
  return undefined;
}

function isStatedLayout(kernel: Kernel, regions: readonly MemoryRegion[]): boolean {
  try {
    return isStated(regions, systemRam(kernel) ?? []);
  } catch (error) {
    if (error instanceof Inconsistency) {
      return false;
    }
    throw error;
  }
}

/**
 * Why the kernel's processes do not show that it runs; undefined where they may. Their page tables are what a kernel
 * without CPUs is held against; one that shows none can't be.
 */
function doubtOfProcesses(kernel: Kernel): string | undefined {
  return readTaskMemory(kernel).pageTableRoots.length === 0
    ? 'it has no process with page tables'
    : undefined;
}

function believed({ memory, kernel, zones }: Fit, running: Running): Introspected {
  return { found: true, memory, kernel, zones, running };
}

/** Looks only where the image may hold anything: a large guest's image is mostly holes. */
function* candidatesIn(memory: PhysicalMemory): Generator<VmcoreinfoPage> {
  for (const data of dataOf(memory)) {
    for (const { vmcoreinfo, imageOffset } of scanVmcoreinfo(data)) {
      yield { vmcoreinfo, imageOffset: data.startOffset + imageOffset };
    }
  }
}

function attempt(
  memory: PhysicalMemory,
  { vmcoreinfo, imageOffset }: VmcoreinfoPage,
  cpus: CpuStates,
  isLayoutGuessed: boolean,
): Attempt {
  const gpa = gpaOf(memory.regions, imageOffset);
  const result = kernelBehind(memory, vmcoreinfo, gpa, cpus.known ? cpus.cpus : undefined);
  if (!result.found) {
    return result;
  }
  try {
    const zones = readZones(result.kernel);
    if (!result.kernel.hasBtf) {
      expectZonesOfNodes(result.kernel, zones);
    }
    const outside = isLayoutGuessed ? ramOutside(result.kernel, memory.regions) : undefined;
    if (outside !== undefined) {
      const end = outside.gpaStart + outside.sizeBytes;
      return {
        found: false,
        reason: `it has RAM from 0x${outside.gpaStart.toString(16)} to 0x${end.toString(16)}, and the image none there`,
        highestMissing: end,
        wasSearched: true,
      };
    }
    const slackPageCount = endPfn(memory.regions) - highestEnd(zones);
    return { found: true, memory, kernel: result.kernel, zones, slackPageCount };
  } catch (error) {
    if (!(error instanceof ParsError)) {
      const { highestMissing } = result.kernel.memory;
      return { found: false, reason: reasonOf(error), highestMissing, wasSearched: true };
    }
    throw error;
  }
}

/** RAM that the kernel was given, and that this layout does not have in one piece. */
function ramOutside(kernel: Kernel, regions: readonly MemoryRegion[]): RamRange | undefined {
  return systemRam(kernel)?.find(({ gpaStart, sizeBytes }) => {
    const region = regionAt(regions, gpaStart);
    return region === undefined || gpaStart + sizeBytes > region.gpaStart + region.sizeBytes;
  });
}

function highestEnd(zones: readonly Zone[]): number {
  return Math.max(...zones.map((zone) => zone.endPfn));
}

function truncated(kernelUses: Gpa, imageEnd: Gpa): string {
  return (
    `the image looks truncated: its kernel has RAM up to 0x${kernelUses.toString(16)} at least, ` +
    `the image ends at 0x${imageEnd.toString(16)}. What there is of it is kept. Unless this guest writes such things ` +
    'into its RAM, take the snapshot again. If the VM keeps its RAM in several files (DIMMs, virtio-mem), join them and ' +
    'say in IMAGE.map.json where each part lies, or take the RAM as an ELF core (QEMU `dump-guest-memory FILE`, ' +
    '`virsh dump --memory-only`), which says so itself'
  );
}
