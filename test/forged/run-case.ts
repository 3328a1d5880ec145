// One case: forges, may bend what was forged, labels, judges, and gives the RAM back as it was. A case is its number
// and the run's seed: the same two make the same case.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { baseNames } from './bases.js';
import { Forger, NoRoom } from './forger.js';
import { bendWord, type ForgeryKind, forgeryKinds } from './forgeries.js';
import type { Case } from './forgery-parts.js';
import { judge, type Judgement } from './judge.js';
import type { KnownKernel } from './known-kernel.js';
import { label } from './label.js';

export interface CaseOutcome extends Judgement {
  readonly number: number;
  readonly kind: string;
  readonly base: string;
  readonly recipe: string;
}

/** The share of forgeries that are bent afterwards. */
const bentShare = 0.5;
const maxBendCount = 8;

/** `only`: the kind of that name, or those whose names hold it. */
export function runCase(
  kernels: readonly KnownKernel[],
  seed: number,
  number: number,
  only = '',
): CaseOutcome {
  const mixed = (Math.imul(seed | 0, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b)) >>> 0;
  const chooser = new Forger(kernels[0], mixed);
  const baseIndex = chooser.below(kernels.length);
  const known = kernels[baseIndex];
  const other = kernels[(baseIndex + 1 + chooser.below(kernels.length - 1)) % kernels.length];
  const kind = chosenKind(chooser, only);
  const forger = new Forger(known, chooser.below(2 ** 31));
  const to: Case = { forger, known, other, recipe: [] };
  const common = { number, kind: kind.name, base: baseNames[baseIndex] };
  let isAsMade = false;
  try {
    try {
      kind.forge(to);
      isAsMade = !bend(to);
    } catch (error) {
      if (!(error instanceof NoRoom)) {
        throw error;
      }
      to.recipe.push(`no room for ${error.message}`);
    }
    // In half of the cases the CPUs' registers are at hand: then even a twin is told from the kernel that runs.
    const cpuState = forger.chance(0.5) ? known.cpuState : undefined;
    to.recipe.push(cpuState === undefined ? 'CPUs unknown' : 'CPUs known');
    const judgement = judge({
      truth: kind.by === 'own frames' ? known.truth : undefined,
      // Bent, or not finished for want of room, it may contradict itself: then it is told from the kernel that runs.
      isTwin: kind.isTwin === true && isAsMade && cpuState === undefined,
      labelled: () => {
        const labelled = label(known.ram, cpuState);
        // Bent pointers and links lead anywhere: what is there is read, and not believed. So evidence is what the labels of the
        // undisturbed guest rest on, and what the forger wrote.
        const evidence = labelled.evidence.map((read, pfn) =>
          known.evidence[pfn] === 1 || known.ram.wasChanged(pfn) ? read : 0,
        );
        return { ...labelled, evidence };
      },
    });
    return { ...common, ...judgement, recipe: to.recipe.join('; ') };
  } finally {
    known.ram.restore();
  }
}

function chosenKind(chooser: Forger, only: string): ForgeryKind {
  const exact = forgeryKinds.filter(({ name }) => name === only);
  const kinds = exact.length > 0 ? exact : forgeryKinds.filter(({ name }) => name.includes(only));
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  let at = chooser.below(total);
  return kinds.find(({ weight }) => (at -= weight) < 0) ?? kinds[0];
}

/**
 * Words in what was forged, replaced by others that may pass; those that hold something more often than zeroes. Whether any
 * was.
 */
function bend({ forger, known, recipe }: Case): boolean {
  const frames = known.ram.changedFrames;
  if (frames.length === 0 || !forger.chance(bentShare)) {
    return false;
  }
  const count = 1 + forger.below(maxBendCount);
  const pointers = [known.node.address, known.places.memmap.base];
  // The last written are what leads to the rest: sections, arrays, VMCOREINFO.
  const recent = frames.slice(-64);
  for (let index = 0; index < count; index++) {
    const pfn = forger.pick(forger.chance(0.5) ? recent : frames);
    let gpa = pfn * pageSizeBytes + forger.below(512) * 8;
    for (let attempt = 0; attempt < 8 && known.ram.u64(gpa) === 0n; attempt++) {
      gpa = pfn * pageSizeBytes + forger.below(512) * 8;
    }
    bendWord(forger, gpa, pointers);
  }
  recipe.push(`${count} words of it bent`);
  return true;
}
