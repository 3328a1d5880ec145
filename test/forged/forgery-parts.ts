// What most forgeries are put together from: a VMCOREINFO page, a lie and room for it, and what leads from one to the other.
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import type { Forger } from './forger.js';
import type { KnownKernel } from './known-kernel.js';
import { type Guise, guises, Lie, type Target, targets } from './lie.js';
import { type Lines, pageOf, withLines } from './vmcoreinfo-text.js';

export interface Case {
  readonly forger: Forger;
  readonly known: KnownKernel;
  /** Another kernel, for what is copied out of it. */
  readonly other: KnownKernel;
  /** What was done, for a reader. */
  readonly recipe: string[];
}

export function place(forger: Forger): 'low' | 'high' {
  return forger.chance(0.6) ? 'low' : 'high';
}

export function putVmcoreinfo({ forger, known, recipe }: Case, lines: Lines): void {
  const where = place(forger);
  const gpa = forger.put(pageOf(withLines(known.vmcoreinfoText, lines)), where);
  recipe.push(
    `VMCOREINFO at 0x${gpa.toString(16)} (${where}er than the kernel's): ` +
      (Object.entries(lines)
        .map(([key, value]) => `${key}=${typeof value === 'bigint' ? value.toString(16) : value}`)
        .join(', ') || 'as it is'),
  );
}

export function chosenLie({ forger, known, recipe }: Case): {
  readonly lie: Lie;
  readonly target: Target;
  readonly guise: Guise;
} {
  const lie = new Lie(known);
  const target = forger.pick(targets);
  const guise = forger.chance(0.6) ? 'buddy' : forger.pick(guises);
  lie.tell(lie.framesOf(target, forger), guise);
  recipe.push(`a memmap in which ${target} is ${guise}`);
  return { lie, target, guise };
}

/** Section headers that lead to a memmap at that address, and their root; gives the root's address. */
export function putSections({ forger, known }: Case, memmapAddress: bigint): bigint {
  const { kernel, places } = known;
  const roots = kernel.vmcoreinfo.symbol('mem_section') ?? 0n;
  const first = kernel.memory.u64(roots) ?? 0n;
  const sections = kernel.memory.bytes(first, pageSizeBytes) ?? Buffer.alloc(pageSizeBytes);
  const step = places.sizeOf('mem_section');
  for (let at = 0; at + step <= pageSizeBytes; at += step) {
    const map = sections.readBigUInt64LE(at);
    if ((map & 2n) !== 0n) {
      sections.writeBigUInt64LE(memmapAddress | (map & 63n), at);
    }
  }
  const sectionsAt = forger.put(sections);
  const root = Buffer.alloc(pageSizeBytes);
  root.writeBigUInt64LE(forger.address(sectionsAt));
  return forger.address(forger.put(root));
}

export function putNodeArray({ forger, known }: Case, node: bigint): bigint {
  const count = known.kernel.vmcoreinfo.length('node_data') ?? 1;
  const array = Buffer.alloc(count * 8);
  array.writeBigUInt64LE(node);
  return forger.address(forger.put(array));
}

/** Where memmap and node will lie is taken first, so that the lie can hide them. */
export function takeForLie({ forger }: Case, lie: Lie) {
  const memmapGpa = forger.take(Math.ceil(lie.memmap.length / pageSizeBytes)) * pageSizeBytes;
  const nodeGpa = forger.take(Math.ceil(lie.node.length / pageSizeBytes)) * pageSizeBytes;
  return { memmapGpa, nodeGpa };
}

/** The address that the kernel image would have if it began where the frame lies. */
export function imageAddress(known: KnownKernel, gpa: number): bigint {
  const base = known.kernel.vmcoreinfo.number('phys_base') ?? 0n;
  return BigInt(gpa) - base + 0xffff_ffff_8000_0000n;
}
