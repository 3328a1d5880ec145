// What the kernel itself counts of its pages (enum node_stat_item, include/linux/mmzone.h; /proc/vmstat shows them):
// the totals over all nodes, with what each CPU has not yet added.
import { expectArrayOf, Inconsistency } from '../../inconsistency.js';
import type { Kernel } from '../../kernel/kernel.js';
import { type Cpu, possibleCpus } from '../per-cpu.js';
import { expectFewPerCpu, nodeAddresses } from './zone.js';

/** There are some fifty counters. */
const countersLimitBytes = 4096;

/** Totals by the enum's names, in pages but for NR_KERNEL_STACK_KB. Empty when the kernel's types do not say. */
export function nodeCounters(kernel: Kernel): ReadonlyMap<string, number> {
  const { btf } = kernel;
  const items = btf.enumeration('node_stat_item');
  const totals = btf.struct('pglist_data')?.member('vm_stat');
  const pointer = btf.struct('pglist_data')?.member('per_cpu_nodestats');
  const pending = btf.struct('per_cpu_nodestat')?.member('vm_node_stat_diff');
  const counters = new Map<string, number>();
  if (
    items === undefined ||
    totals === undefined ||
    pointer === undefined ||
    pending === undefined
  ) {
    return counters;
  }
  expectArrayOf(8, totals, 'pglist_data.vm_stat');
  if (totals.sizeBytes > countersLimitBytes || pending.sizeBytes > countersLimitBytes) {
    throw new Inconsistency(`a node has ${totals.sizeBytes} bytes of counters`);
  }
  const cpus = possibleCpus(kernel);
  const nodes = nodeAddresses(kernel);
  expectFewPerCpu(kernel, nodes.size);
  for (const address of nodes.values()) {
    const stated = kernel.memory.bytes(address + BigInt(totals.offsetBytes), totals.sizeBytes);
    const differences = kernel.memory.u64(address + BigInt(pointer.offsetBytes));
    if (stated === undefined || differences === undefined) {
      throw new Inconsistency('the counters of a node are not mapped');
    }
    const notYetAdded = cpus.map((cpu) =>
      pendingOf(kernel, differences + BigInt(pending.offsetBytes), cpu, pending.sizeBytes),
    );
    for (const [name, item] of items) {
      if (item >= 0 && item < totals.count && item < pending.sizeBytes) {
        const total = notYetAdded.reduce(
          (sum, bytes) => sum + bytes.readInt8(item),
          Number(stated.readBigInt64LE(item * 8)),
        );
        counters.set(name, (counters.get(name) ?? 0) + total);
      }
    }
  }
  return counters;
}

function pendingOf(kernel: Kernel, address: bigint, cpu: Cpu, sizeBytes: number): Buffer {
  const bytes = kernel.memory.bytes(BigInt.asUintN(64, address + cpu.offset), sizeBytes);
  if (bytes === undefined) {
    throw new Inconsistency(`the node counters of CPU ${cpu.number} are not mapped`);
  }
  return bytes;
}
