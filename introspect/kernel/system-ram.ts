// Where the guest's machine has RAM by the kernel's own tree of resources (kernel/resource.c, what /proc/iomem shows): to
// the byte, and each device of hot-plugged memory by itself.
import { expect, Inconsistency } from '../inconsistency.js';
import type { Gpa } from '../memory/physical-memory.js';
import type { MemberLayout } from './btf/btf.js';
import type { Kernel } from './kernel.js';

export interface RamRange {
  readonly gpaStart: Gpa;
  readonly sizeBytes: number;
}

/** A machine has some dozens at the top of the tree. */
const resourceLimit = 4096;
const ramName = 'System RAM';
/** A virtio-mem device has its whole region, of which the kernel uses parts (drivers/virtio/virtio_mem.c). */
const deviceName = /^virtio\d{1,5}$/;
const deviceRamName = 'System RAM (virtio_mem)';

const memberNames = ['start', 'end', 'name', 'sibling', 'child'] as const;

/** Ascending. Undefined where the kernel has no such tree; throws Inconsistency where it does not hold together. */
export function systemRam(kernel: Kernel): readonly RamRange[] | undefined {
  const layout = kernel.btf.struct('resource');
  const [start, end, name, sibling, child] = memberNames.map((member) => layout?.member(member));
  const top = kernel.symbol('iomem_resource');
  if (!start || !end || !name || !sibling || !child || top === undefined) {
    return undefined;
  }
  const word = (address: bigint, { offsetBytes }: MemberLayout): bigint =>
    expect(kernel.memory.u64(address + BigInt(offsetBytes)), 'a resource of memory');
  const nameOf = (address: bigint): string | undefined => kernel.memory.string(word(address, name));
  const ranges: RamRange[] = [];
  let count = 0;
  for (let at = word(top, child); at !== 0n; at = word(at, sibling)) {
    if (++count > resourceLimit) {
      throw new Inconsistency(`more than ${resourceLimit} resources of memory`);
    }
    const own = expect(nameOf(at), "a resource's name");
    const first = deviceName.test(own) ? word(at, child) : 0n;
    if (own === ramName || (first !== 0n && nameOf(first) === deviceRamName)) {
      const gpaStart = Number(word(at, start));
      const sizeBytes = Number(word(at, end)) + 1 - gpaStart;
      const last = ranges.at(-1);
      if (sizeBytes <= 0 || gpaStart < (last === undefined ? 0 : last.gpaStart + last.sizeBytes)) {
        throw new Inconsistency('resources of memory do not ascend');
      }
      ranges.push({ gpaStart, sizeBytes });
    }
  }
  return ranges;
}
