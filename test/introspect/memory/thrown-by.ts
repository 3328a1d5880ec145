// What a function throws, when it must be a ParsError.
import { ParsError } from '../../../introspect/pars-error.js';

export function thrownBy(work: () => unknown): ParsError {
  try {
    work();
  } catch (error) {
    if (error instanceof ParsError) {
      return error;
    }
    throw error;
  }
  throw new Error('expected it to throw');
}
