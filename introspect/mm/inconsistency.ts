// Thrown inside introspection when the guest's structures do not add up; classify.ts turns it into a page map that is
// critical throughout. It never leaves introspect/.

export class Inconsistency extends Error {
  override readonly name = 'Inconsistency';
}

/** `value`, or an Inconsistency that says what is missing. */
export function expect<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new Inconsistency(`${what} is missing`);
  }
  return value;
}
