// Nodes and zones as /proc/zoneinfo shows them: what they span, and how much of that is there and the allocator's.
import type { Kernel } from '../../kernel/kernel.js';
import type { StructTypes } from '../../kernel/kernel-types.js';
import type { Pfn } from '../../memory/physical-memory.js';
import { nodeAddresses, type Zone } from './zone.js';

/** A count is undefined where the kernel's types do not hold it. */
export interface NodeSpan {
  readonly number: number;
  readonly startPfn: Pfn | undefined;
  readonly spannedPageCount: number | undefined;
  readonly presentPageCount: number | undefined;
}

export interface ZoneSpan {
  readonly node: number;
  readonly index: number;
  /** As /proc/zoneinfo names it; the index where the kernel does not say. */
  readonly name: string;
  readonly startPfn: Pfn;
  readonly endPfn: Pfn;
  readonly presentPageCount: number | undefined;
  readonly managedPageCount: number | undefined;
  readonly freePageCount: number;
}

export function describeNodes(kernel: Kernel): readonly NodeSpan[] {
  const layout = kernel.btf.struct('pglist_data');
  return [...nodeAddresses(kernel)].map(([number, address]) => ({
    number,
    startPfn: word(kernel, layout, address, 'node_start_pfn'),
    spannedPageCount: word(kernel, layout, address, 'node_spanned_pages'),
    presentPageCount: word(kernel, layout, address, 'node_present_pages'),
  }));
}

export function describeZones(kernel: Kernel, zones: readonly Zone[]): readonly ZoneSpan[] {
  const layout = kernel.btf.struct('zone');
  return zones.map((zone) => ({
    node: zone.node,
    index: zone.index,
    name: zoneName(kernel, zone),
    startPfn: zone.startPfn,
    endPfn: zone.endPfn,
    presentPageCount: word(kernel, layout, zone.address, 'present_pages'),
    managedPageCount: word(kernel, layout, zone.address, 'managed_pages'),
    freePageCount: zone.freePageCount,
  }));
}

export function zoneName(kernel: Kernel, { address, index }: Zone): string {
  const member = kernel.btf.struct('zone')?.member('name');
  const pointer =
    member === undefined ? undefined : kernel.memory.u64(address + BigInt(member.offsetBytes));
  const name = pointer === undefined ? undefined : kernel.memory.string(pointer);
  return name === undefined || name === '' ? `zone ${index}` : name;
}

function word(
  kernel: Kernel,
  layout: StructTypes | undefined,
  address: bigint,
  member: string,
): number | undefined {
  const at = layout?.member(member);
  const value =
    at?.sizeBytes === 8 ? kernel.memory.u64(address + BigInt(at.offsetBytes)) : undefined;
  return value === undefined ? undefined : Number(value);
}
