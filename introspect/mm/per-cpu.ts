// Per-CPU data: a variable's own address plus the CPU's offset (include/asm-generic/percpu.h, mm/percpu.c).
import type { Kernel } from '../kernel/kernel.js';
import { expect, Inconsistency } from './inconsistency.js';

/** CONFIG_NR_CPUS is at most 8192 on x86-64. */
const cpuLimit = 8192;

export interface Cpu {
  readonly number: number;
  /** `__per_cpu_offset[number]`: added, modulo 2^64, to a per-CPU address. */
  readonly offset: bigint;
}

/** Every CPU that may ever run: those offline keep their lists and counters too. */
export function possibleCpus(kernel: Kernel): readonly Cpu[] {
  const offsets = expect(kernel.symbol('__per_cpu_offset'), '__per_cpu_offset');
  const mask = expect(kernel.symbol('__cpu_possible_mask'), '__cpu_possible_mask');
  const countAddress = expect(kernel.symbol('nr_cpu_ids'), 'nr_cpu_ids');
  const count = expect(kernel.memory.u32(countAddress), 'nr_cpu_ids');
  if (count < 1 || count > cpuLimit) {
    throw new Inconsistency(`${count} CPUs`);
  }
  const bits = expect(kernel.memory.bytes(mask, Math.ceil(count / 8)), 'the mask of CPUs');
  const table = expect(kernel.memory.bytes(offsets, count * 8), '__per_cpu_offset');
  const cpus: Cpu[] = [];
  for (let number = 0; number < count; number++) {
    if ((bits[number >> 3] & (1 << (number & 7))) !== 0) {
      cpus.push({ number, offset: table.readBigUInt64LE(number * 8) });
    }
  }
  if (cpus.length === 0) {
    throw new Inconsistency('no CPU in the mask of possible CPUs');
  }
  return cpus;
}
