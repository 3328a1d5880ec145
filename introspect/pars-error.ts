// The one error class of the project. It lies at the bottom of the import order because both trees throw it.
//
// The codes name kinds of failure, not subsystems: a caller (and the CLI's exit code) decides by code, a person reads
// the message. A message says what was expected, what was found, where, and what to do.

/** Closed list of failure kinds, each with what it tells the caller. */
export const errorCodes = {
  usage: 'the arguments, the configuration or the policy are wrong; nothing was done',
  'image-invalid': 'the memory image is missing, truncated or not of the stated form',
  'not-found': 'the named file, snapshot or store does not exist',
  'already-exists': 'the name is taken; nothing was overwritten',
  'permission-denied': 'the store or the file system refused the user',
  unavailable: 'the store cannot be reached or is not ready; trying again later may work',
  'no-space': 'the store or the local disk is full',
  'data-lost': 'no live copy of the bytes is left, or none that can be reached now',
  corrupt: 'bytes were read back that are not the bytes that were written',
  unsupported: 'the data needs a feature, format or version that this program does not know',
  cancelled: 'the user or the caller stopped the work',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class ParsError extends Error {
  override readonly name = 'ParsError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
