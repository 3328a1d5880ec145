// Who this process is for HDFS, which knows users by name.

import { userInfo } from 'node:os';
import { ParsError } from '../../../introspect/pars-error.js';

/**
 * Throws `usage` where the user of this process has only a number, as in a container that runs as any user. `urlForm` is how a
 * store's URL names one.
 */
export function nameOfProcess(urlForm: string): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new ParsError(
      'usage',
      `the user ${process.getuid?.() ?? ''} of this process has no name in the password file, and HDFS knows users by ` +
        `name: give it in the store's URL, as ${urlForm}`,
      { cause },
    );
  }
}
