// The failure of something that must fail, and with an error of our own.

import { ParsError } from '../../introspect/pars-error.js';

/** Throws when `act` succeeds, or fails with anything but a ParsError. */
export async function errorOf(act: Promise<unknown>): Promise<ParsError> {
  const outcome = await act.then(
    () => 'success',
    (error: unknown) => error,
  );
  if (outcome instanceof ParsError) {
    return outcome;
  }
  throw new Error(`expected a ParsError, found ${String(outcome)}`);
}
