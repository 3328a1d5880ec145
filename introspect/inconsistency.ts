// Thrown inside introspection when the guest's structures do not add up; classify.ts turns it into a page map that is
// critical throughout. It never leaves introspect/.

export class Inconsistency extends Error {
  override readonly name = 'Inconsistency';
}

/**
 * What to say of an error that came up in structures of the guest. One that is no Inconsistency was not foreseen; it is a
 * defect, and no reason to leave the guest without its backup.
 */
export function reasonOf(error: unknown): string {
  return error instanceof Inconsistency
    ? error.message
    : `a defect of pars came up in its structures (${error instanceof Error ? error.message : String(error)})`;
}

/** `value`, or an Inconsistency that says what is missing. */
export function expect<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new Inconsistency(`${what} is missing`);
  }
  return value;
}

/** An array member, if its size is that of its elements. What a damaged type says of their number may be anything. */
export function expectArrayOf<T extends { readonly sizeBytes: number; readonly count: number }>(
  elementBytes: number,
  member: T | undefined,
  what: string,
): T {
  const array = expect(member, what);
  if (array.count * elementBytes !== array.sizeBytes) {
    throw new Inconsistency(
      `${what} has ${array.count} elements of ${elementBytes} bytes in ${array.sizeBytes}`,
    );
  }
  return array;
}
