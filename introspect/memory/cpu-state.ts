// What a VM's device state says of its CPUs: which page tables each of them runs on. The guest's RAM has no part in it:
// the hypervisor wrote it down, so it tells the kernel that runs from one that lies in RAM dead, or made up.

/** One CPU at the moment of the image. Registers as the Intel SDM names them (vol. 3, 2.5 and 2.2.1). */
export interface CpuState {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  /** Absent where the container does not keep it: a dump's notes. */
  readonly efer?: bigint;
  /** Where `syscall` goes to (MSR LSTAR). Absent as `efer`. */
  readonly lstar?: bigint;
  readonly rip: bigint;
  readonly rsp: bigint;
  readonly rflags: bigint;
  /** Current privilege level: 0 in the kernel, 3 in user mode. */
  readonly privilege: number;
  /** Whether it executes nothing: until an interrupt, or until another CPU starts it. Absent as `efer`. */
  readonly halted?: boolean;
  /** Whether a guest of this guest runs on it (nested virtualisation): then the registers are that one's. */
  readonly isInNestedGuest?: boolean;
}

/** The CPUs in the order of their numbers, or why nothing is known of them. */
export type CpuStates =
  | { readonly known: true; readonly cpus: readonly CpuState[] }
  | { readonly known: false; readonly reason: string };

const pagingBit = 1n << 31n;
const physicalAddressExtensionBit = 1n << 5n;
const fiveLevelsBit = 1n << 12n;
const longModeActiveBit = 1n << 10n;
const interruptBit = 1n << 9n;

export function isInLongMode({ cr0, cr4, efer }: CpuState): boolean {
  const isPaging = (cr0 & pagingBit) !== 0n && (cr4 & physicalAddressExtensionBit) !== 0n;
  return isPaging && (efer === undefined || (efer & longModeActiveBit) !== 0n);
}

/**
 * Whether it was never started since the reset: it executes nothing, and nothing but another CPU makes it. Where it is not
 * known whether it is halted, paging and interrupts that are off must do.
 */
export function isParked({ halted, cr0, rflags }: CpuState): boolean {
  return halted !== false && (cr0 & pagingBit) === 0n && (rflags & interruptBit) === 0n;
}

export function pagingLevelsOf({ cr4 }: CpuState): 4 | 5 {
  return (cr4 & fiveLevelsBit) !== 0n ? 5 : 4;
}
