// What a VM may be called, asked before anything is done for it.
import { ParsError } from '../../introspect/pars-error.js';
import { vmNameForm, vmNameProblem } from '../manifest/vm-name.js';
import { shortVisibleText } from '../text/visible-text.js';

const shownLength = 80;

/** Throws `usage`. `remedy`: how another name is given here. */
export function expectVmName(vm: string, remedy: string): void {
  const problem = vmNameProblem(vm);
  if (problem !== undefined) {
    const shown = shortVisibleText(JSON.stringify(vm), shownLength);
    throw new ParsError(
      'usage',
      `${shown} cannot name a VM: ${problem}, expected ${vmNameForm}; ${remedy}`,
    );
  }
}
