// What a VM may be called in a store, asked before anything is done for it.
import { ParsError } from '../../introspect/pars-error.js';
import { vmName } from './names.js';

/** Throws `usage`. */
export function expectVmName(vm: string): void {
  if (!vmName.test(vm)) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(vm)} cannot name a VM here: expected up to 128 of A-Z a-z 0-9 . _ - and no leading dot`,
    );
  }
}
