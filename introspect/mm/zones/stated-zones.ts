// Zones that are read without BTF, held against what their nodes say: where a zone starts is not stated, but inferred.
import { expect, Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import { nodeAddresses, type Zone } from './zone.js';

/** Throws Inconsistency unless every node's zones span exactly what the node does, with as many pages as they may have. */
export function expectZonesOfNodes(kernel: Kernel, zones: readonly Zone[]): void {
  const node = expect(kernel.btf.struct('pglist_data'), 'struct pglist_data');
  const zone = expect(kernel.btf.struct('zone'), 'struct zone');
  const word = (address: bigint, layout: typeof node, name: string): number =>
    Number(
      expect(
        kernel.memory.u64(address + BigInt(expect(layout.member(name), name).offsetBytes)),
        name,
      ),
    );
  for (const [number, address] of nodeAddresses(kernel)) {
    const own = zones.filter((entry) => entry.node === number);
    const start = word(address, node, 'node_start_pfn');
    const spanned = word(address, node, 'node_spanned_pages');
    const first = Math.min(...own.map(({ startPfn }) => startPfn));
    const end = Math.max(...own.map(({ endPfn }) => endPfn));
    const isEmpty = own.length === 0 && spanned === 0;
    if (!isEmpty && (first !== start || end !== start + spanned)) {
      throw new Inconsistency(
        `node ${number} spans ${spanned} frames from ${start}, its zones those from ${first} to ${end}`,
      );
    }
  }
  for (const { node: number, index, address, startPfn, endPfn } of zones) {
    const managed = word(address, zone, 'managed_pages');
    const present = word(address, zone, 'present_pages');
    if (managed > present || present > endPfn - startPfn) {
      throw new Inconsistency(
        `zone ${index} of node ${number} has ${managed} of ${present} pages, and spans ${endPfn - startPfn}`,
      );
    }
  }
}
