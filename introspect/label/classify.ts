// Labels every page of a guest's memory, or says why none can be trusted.
//
//   label the memmap ──► hold free pages against the zones ──► add the per-CPU free lists ──► name the kernel's own
//   pages ──► hold the page cache against the kernel's counters ──► note what healing will need ──► hold the labels
//   against what they rest on
//
// A structure that does not add up takes back what it bears on: those pages become `unknown`, or keep a critical label.
// Where that cannot be confined, every page becomes `unknown`.
import { type HealingFacts, healingFacts } from '../heal/healing-facts.js';
import { Inconsistency, reasonOf } from '../inconsistency.js';
import { type Kernel, noBtf } from '../kernel/kernel.js';
import { readTaskMemory, type TaskMemory } from '../kernel/tasks.js';
import { endPfn, pageSizeBytes, type PhysicalMemory } from '../memory/physical-memory.js';
import { freeContent } from '../mm/free/free-content.js';
import { type Memmap, openMemmap } from '../mm/memmap.js';
import { type Zone } from '../mm/zones/zone.js';
import { labelNumbers } from '../page-class.js';
import { ParsError } from '../pars-error.js';
import { cacheDoubts } from './cache-doubts.js';
import { expectNoContradiction } from './contradictions.js';
import type { Introspected, Running } from './find-kernel.js';
import {
  labelHugePages,
  labelPerCpuLists,
  takeBackAllFreePages,
  takeBackDoubtfulFreePages,
} from './free-pages.js';
import { labelKernelPages } from './label-kernel-pages.js';
import { labelMemmap, labelOutsideZones } from './label-memmap.js';
import type { Evidence, KernelProof, PageMap } from './page-map.js';
import { replaceLabel } from './replace-label.js';

const doubtsShown = 50;

/** Labels every page of the image. Throws only what reading the image throws. */
export function classify(introspected: Introspected): PageMap {
  const { memory } = introspected;
  if (!introspected.found) {
    return untrusted(memory, { kind: 'no-kernel', reason: introspected.reason }, undefined);
  }
  const { kernel, zones } = introspected;
  const identity = { release: kernel.release, buildId: kernel.buildId };
  try {
    const tasks = readTaskMemory(kernel);
    const { labels, doubts, healing } = labelPages(kernel, zones, tasks);
    expectNoContradiction(introspected, labels, tasks);
    return {
      regions: memory.regions,
      labels,
      evidence: doubts.length === 0 ? { kind: 'complete' } : { kind: 'partial', reason: doubts[0] },
      warnings: warningsOf(doubts),
      kernel: identity,
      kernelProof: proofOf(introspected.running),
      healing,
    };
  } catch (error) {
    if (error instanceof ParsError) {
      throw error;
    }
    return untrusted(memory, { kind: 'inconsistent', reason: reasonOf(error) }, identity);
  }
}

/** A guest can make any number of structures doubtful. */
function warningsOf(doubts: readonly string[]): readonly string[] {
  const shown = doubts.slice(0, doubtsShown).map((doubt) => `kept as critical: ${doubt}`);
  return doubts.length > doubtsShown
    ? [...shown, `kept as critical: ${doubts.length - doubtsShown} more structures do not add up`]
    : shown;
}

function proofOf(running: Running): KernelProof {
  return running.proven ? { proven: true, cpuCount: running.cpus.length } : running;
}

function labelPages(kernel: Kernel, zones: readonly Zone[], tasks: TaskMemory) {
  const memory = kernel.physical;
  const labels = new Uint8Array(memory.sizeBytes / pageSizeBytes);
  const memmap = openMemmap(kernel, endPfn(memory.regions));
  const { brokenBlockCount, disagreements } = labelMemmap(kernel, memmap, zones, labels);
  const doubts = kernel.hasBtf ? [] : [`all but free pages, as ${noBtf}`];
  if (brokenBlockCount > 0) {
    doubts.push(brokenBlocks(brokenBlockCount));
  }
  if (!kernel.hasBtf) {
    doubts.push(...takeBackAllFreePages(disagreements, labels));
  } else {
    doubts.push(...takeBackDoubtfulFreePages(kernel, memmap, disagreements, labels));
    doubts.push(...labelPerCpuLists(kernel, memmap, zones, labels));
    labelHugePages(kernel, memmap, labels);
    labelKernelPages(kernel, labels, tasks);
  }
  labelOutsideZones(kernel, zones, labels);
  if (kernel.hasBtf) {
    doubts.push(...takeBackDoubtfulCache(kernel, memmap, labels));
  }
  const healing = whatHealingNeeds(kernel, memmap, labels, doubts);
  return { labels, doubts, healing };
}

/** A page whose loss could not be healed is taken back, with one more doubt. */
function whatHealingNeeds(
  kernel: Kernel,
  memmap: Memmap,
  labels: Uint8Array,
  doubts: string[],
): HealingFacts {
  const { byte: freeByte = 0, doubt } = freeContent(kernel, labels);
  if (doubt !== undefined) {
    doubts.push(doubt);
    replaceLabel(labels, labelNumbers.free, labelNumbers.unknown);
    replaceLabel(labels, labelNumbers['free-pcp'], labelNumbers.unknown);
  }
  try {
    return healingFacts(kernel, memmap, labels, freeByte);
  } catch (error) {
    if (!(error instanceof Inconsistency)) {
      throw error;
    }
    doubts.push(`clean file cache, as ${error.message}`);
    replaceLabel(labels, labelNumbers['file-reread'], labelNumbers['file-clean']);
    return healingFacts(kernel, memmap, labels, freeByte);
  }
}

function brokenBlocks(count: number): string {
  return `${count} blocks of pages do not hold together (caught while changing?)`;
}

function takeBackDoubtfulCache(
  kernel: Kernel,
  memmap: Memmap,
  labels: Uint8Array,
): readonly string[] {
  const doubts = cacheDoubts(kernel, memmap, labels);
  if (doubts.length > 0) {
    replaceLabel(labels, labelNumbers['file-reread'], labelNumbers['file-clean']);
  }
  return doubts;
}

function untrusted(
  memory: PhysicalMemory,
  evidence: Extract<Evidence, { kind: 'no-kernel' | 'inconsistent' }>,
  kernel: PageMap['kernel'],
): PageMap {
  return {
    regions: memory.regions,
    labels: new Uint8Array(memory.sizeBytes / pageSizeBytes),
    evidence,
    warnings: [`every page is kept as critical: ${evidence.reason}`],
    kernel,
  };
}
