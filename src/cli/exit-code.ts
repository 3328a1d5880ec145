// Exit codes are an interface: README lists them, scripts rely on them, numbers are never reused.
import { type ErrorCode, ParsError } from '../../introspect/pars-error.js';

export const exitCodes = {
  ok: 0,
  /** A defect of this program. */
  internal: 1,
  /** Done, but every page is kept as critical: no kernel that is understood was found. */
  noKernel: 20,
  /** Done, but every page is kept as critical: the kernel's structures do not add up. */
  inconsistent: 21,
  /** Stored and visible, but some file has fewer copies than wanted. */
  underReplicated: 22,
  /** Restored, but the VM was not started: not trusted, not confirmed, or its QEMU failed (src/vm/resume-script.ts). */
  vmFailed: 23,
} as const;

/** Of manifests that could not be read, the one to tell of. One out of reach comes first: nobody knows what it says. */
export function worstOf(errors: readonly ParsError[]): ParsError | undefined {
  return errors.find(({ code }) => code === 'unavailable') ?? errors.at(0);
}

export function exitCodeOfUnreadable(errors: readonly ParsError[]): number {
  const worst = worstOf(errors);
  return worst === undefined ? exitCodes.ok : exitCodeOfError[worst.code];
}

/** Throws instead of `not-found` when a snapshot that is asked for by a name may be among those that cannot be read. */
export function expectAllReadable(asked: string, errors: readonly ParsError[]): void {
  const worst = worstOf(errors);
  if (worst === undefined) return;
  throw new ParsError(
    worst.code,
    `no snapshot of ${asked} is among those that can be read, and ${errors.length} cannot be read: ${worst.message}`,
    { cause: worst },
  );
}

export const exitCodeOfError: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  'image-invalid': 3,
  'not-found': 4,
  'already-exists': 5,
  'permission-denied': 6,
  unavailable: 7,
  'no-space': 8,
  'data-lost': 9,
  corrupt: 10,
  unsupported: 11,
  cancelled: 130,
};
