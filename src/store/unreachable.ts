// What cannot be reached is not lost: a DataNode whose name this machine does not know, a disk that is not mounted. Nobody
// may take the bytes for gone, and heal or remove by it, unless a person says so.

import { ParsError } from '../../introspect/pars-error.js';

/**
 * The store lists copies of a file, and this machine gets at none of them now. Asking again at once is of no use: somebody
 * has to mend a name, a route, a node or a mount first.
 */
export class UnreachableCopies extends ParsError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('unavailable', message, options);
  }
}
