// One case of a dead kernel: RAM and CPUs of a moment after a reset or reboot, with what is left of the kernel before
// put back, or overwritten some more. Whatever is made of it, no page is given up for a kernel that does not run.
import { decodeKallsyms } from '../../introspect/kernel/kallsyms/decode.js';
import type { Kernel } from '../../introspect/kernel/kernel.js';
import { PageTables } from '../../introspect/kernel/paging.js';
import { pageSizeBytes } from '../../introspect/memory/physical-memory.js';
import { randomFrom } from '../e2e/random-numbers.js';
import { type CpuRegisters, cpusOfState } from './cpus-of-state.js';
import type { DeadKernel } from './dead-kernels.js';
import { ForgedRam } from './forged-ram.js';
import { judge } from './judge.js';
import { label } from './label.js';
import type { CaseOutcome } from './run-case.js';

const pagingBit = 1n << 31n;
/** The frame of the top-level table, and the same for user mode under page-table isolation, which has the next one there. */
const rootMasks = [0x000f_ffff_ffff_f000n, 0x000f_ffff_ffff_e000n];
const ways = ['as it is', 'put back', 'overwritten', 'bent'] as const;

export class LoadedDeadKernel {
  readonly dead: DeadKernel;
  readonly ram: ForgedRam;
  readonly #before: ForgedRam;
  readonly #cpus: readonly CpuRegisters[];
  /** Frames that the dead kernel's labels were made from. */
  readonly #evidence: readonly number[];
  /** Frames that labels were made from at that moment, before anything is put back or overwritten. */
  readonly #own: Uint8Array;

  constructor(dead: DeadKernel) {
    this.dead = dead;
    this.ram = new ForgedRam(dead.ramPath);
    this.#before = new ForgedRam(dead.ramBeforePath);
    this.#cpus = cpusOfState(dead.statePath);
    this.#own = label(this.ram, { statePath: dead.statePath }).evidence;
    const { evidence } = label(this.#before);
    const found = this.#before.framesShown;
    this.#evidence = [...found, ...evidence.keys()].filter(
      (pfn, index) => index < found.length || evidence[pfn] === 1,
    );
  }

  run(seed: number, number: number): CaseOutcome {
    const random = randomFrom(
      (Math.imul(seed | 0, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b)) >>> 0,
    );
    const below = (limit: number): number => Math.floor(random() * limit);
    const way = ways[below(ways.length)];
    const share = random() < 0.5 ? 1 : random();
    try {
      let count = 0;
      for (const pfn of way === 'as it is' ? [] : this.#evidence) {
        const at = pfn * pageSizeBytes;
        if (way === 'put back' && random() < share) {
          this.ram.write(at, this.#before.bytes.subarray(at, at + pageSizeBytes));
          count++;
        } else if (way === 'overwritten' && random() < share * 0.01) {
          this.ram.write(at, Buffer.alloc(pageSizeBytes, below(256)));
          count++;
        } else if (way === 'bent' && random() < share * 0.002) {
          const gpa = at + below(512) * 8;
          this.ram.setU64(gpa, this.ram.u64(gpa) ^ (1n << BigInt(below(64))));
          count++;
        }
      }
      return {
        number,
        kind: deadKind,
        base: this.dead.name,
        recipe: `${way}, ${count} of ${this.#evidence.length} pages of its evidence`,
        ...judge({
          truth: undefined,
          isTwin: false,
          isRunning: (kernel) => this.#isRunning(kernel),
          labelled: () => {
            const labelled = label(this.ram, { statePath: this.dead.statePath });
            // What is put back or bent leads to pages that are read and not believed.
            const evidence = labelled.evidence.map((read, pfn) => read & this.#own[pfn]);
            return { ...labelled, evidence };
          },
        }),
      };
    } finally {
      this.ram.restore();
    }
  }

  /** Whether the CPUs run in this kernel, and it has come so far that it has written the VMCOREINFO it is known by. */
  #isRunning(kernel: Kernel): boolean {
    const stext = kernel.vmcoreinfo.symbol('_stext') ?? 0n;
    const wanted = ['entry_SYSCALL_64', 'vmcoreinfo_data'];
    const anchor = { name: '_stext', address: stext };
    const symbols = decodeKallsyms(kernel.memory, kernel.kallsyms.tables, wanted, anchor);
    if (!symbols.ok) {
      return false;
    }
    const entry = symbols.symbols.get('entry_SYSCALL_64');
    const variable = symbols.symbols.get('vmcoreinfo_data') ?? 0n;
    const begun = this.#cpus.filter(({ cr0 }) => (cr0 & pagingBit) !== 0n);
    return (
      begun.length > 0 &&
      begun.every(
        ({ cr3, lstar }) =>
          lstar === entry &&
          rootMasks.some((mask) => {
            const tables = new PageTables(this.ram, Number(cr3 & mask), kernel.pagingLevels);
            const at = tables.translate(variable)?.gpa;
            const isSame = [stext, variable].every(
              (address) => tables.translate(address)?.gpa === kernel.memory.translate(address),
            );
            const page = at === undefined ? undefined : tables.translate(this.ram.u64(at))?.gpa;
            const text =
              page === undefined
                ? ''
                : this.ram.bytes.toString('latin1', page, page + pageSizeBytes);
            return (
              isSame &&
              text.startsWith(`OSRELEASE=${kernel.release}\n`) &&
              text.includes(`SYMBOL(_stext)=${stext.toString(16)}\n`)
            );
          }),
      )
    );
  }
}

export const deadKind = 'a dead kernel';
