// What a cluster need not tell everybody: where it does not, nobody is the worse for it.

import { ParsError } from '../../../introspect/pars-error.js';

/** Undefined for what could not be had. Throws only `cancelled`, and what is no failure of a store. */
export async function orUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ParsError) || error.code === 'cancelled') {
      throw error;
    }
    return undefined;
  }
}
