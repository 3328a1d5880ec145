// Per-CPU data: a variable's own address plus the CPU's offset (include/asm-generic/percpu.h, mm/percpu.c).
import { expect, Inconsistency } from '../inconsistency.js';
import type { Kernel } from '../kernel/kernel.js';

/** CONFIG_NR_CPUS is at most 8192 on x86-64. */
const cpuLimit = 8192;

export interface Cpu {
  readonly number: number;
  /** `__per_cpu_offset[number]`: added, modulo 2^64, to a per-CPU address. */
  readonly offset: bigint;
}

/** Every CPU that may ever run: those offline keep their lists and counters too. */
export function possibleCpus(kernel: Kernel): readonly Cpu[] {
  if (isUniprocessor(kernel)) {
    return [{ number: 0, offset: 0n }];
  }
  const offsets = expect(kernel.symbol('__per_cpu_offset'), '__per_cpu_offset');
  const mask = expect(kernel.symbol('__cpu_possible_mask'), '__cpu_possible_mask');
  const count = cpuCountOf(kernel);
  const bits = expect(kernel.memory.bytes(mask, Math.ceil(count / 8)), 'the mask of CPUs');
  const cpus: Cpu[] = [];
  for (let number = 0; number < count; number++) {
    if ((bits[number >> 3] & (1 << (number & 7))) !== 0) {
      const offset = kernel.memory.u64(offsets + BigInt(number * 8));
      cpus.push({ number, offset: expect(offset, `__per_cpu_offset of CPU ${number}`) });
    }
  }
  if (cpus.length === 0) {
    throw new Inconsistency('no CPU in the mask of possible CPUs');
  }
  return cpus;
}

/**
 * A kernel for one CPU alone (CONFIG_SMP=n) has per-CPU data where their addresses say, and counts without differences: it
 * has neither the symbols nor the member for them, but others of data.
 */
export function isUniprocessor(kernel: Kernel): boolean {
  const hasDifferences = ['per_cpu_zonestat', 'per_cpu_pageset'].some(
    (name) => kernel.btf.struct(name)?.member('vm_stat_diff') !== undefined,
  );
  return (
    kernel.hasBtf &&
    !hasDifferences &&
    kernel.symbol('__per_cpu_offset') === undefined &&
    kernel.symbol('nr_cpu_ids') === undefined &&
    kernel.symbol('__cpu_possible_mask') !== undefined
  );
}

/** Numbers that CPUs may have: below `nr_cpu_ids`, or as many as a mask has bits where that is no variable. */
function cpuCountOf(kernel: Kernel): number {
  const address = kernel.symbol('nr_cpu_ids');
  // CONFIG_FORCE_NR_CPUS: all masks are as wide as the kernel was built for.
  const count =
    address === undefined
      ? expect(
          kernel.btf.struct('cpumask')?.member('bits'),
          'nr_cpu_ids, and BTF of struct cpumask (CONFIG_FORCE_NR_CPUS?),',
        ).sizeBytes * 8
      : expect(kernel.memory.u32(address), 'nr_cpu_ids');
  if (count < 1 || count > cpuLimit) {
    throw new Inconsistency(`${count} CPUs`);
  }
  return count;
}
