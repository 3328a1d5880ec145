// Exit codes are an interface: docs/exit-codes.md lists them, scripts rely on them, numbers are never reused.
import { type ErrorCode, ParsError } from '../../../introspect/pars-error.js';

/** `exitMeanings` says what each is; of the last one see src/vm/resume/resume-script.ts too. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  noKernel: 20,
  inconsistent: 21,
  underReplicated: 22,
  vmFailed: 23,
} as const;

/** The error to tell of when several manifests could not be read. One out of reach comes first: nobody knows what it says. */
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
  if (worst === undefined) {
    return;
  }
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

/** For who calls `pars`. docs/exit-codes.md is made from it: `npm run docs:tables`. */
export const exitMeanings: Readonly<Record<ErrorCode | keyof typeof exitCodes, string>> = {
  ok: 'done',
  internal: 'a defect of pars',
  usage: 'wrong arguments, configuration or policy; nothing was done',
  'image-invalid': 'the image is missing, not of the stated form, or shorter than its format says',
  'not-found': 'no such snapshot, file or store',
  'already-exists': 'the name is taken; nothing was overwritten',
  'permission-denied': 'the store or the file system refused the user',
  unavailable: 'the store, or what lies in it, cannot be reached now; nothing is taken for lost',
  'no-space': 'the store or the local disk is full',
  'data-lost': 'pages or files are lost and cannot be healed: `restore`, `verify` list them',
  corrupt: 'bytes read back are not the bytes written, and cannot be healed',
  unsupported: 'the data needs a feature, format or version that this program does not know',
  noKernel: 'done, with every page critical: no kernel that is understood was found',
  inconsistent: "done, with every page critical: the kernel's structures do not add up",
  underReplicated:
    'stored, or restorable (`verify`), but copies are missing or pages must be healed',
  vmFailed: 'restored, but the VM was not started (not trusted, not confirmed), or QEMU failed',
  cancelled: 'stopped by Ctrl-C',
};
