// The policy that a command line asks for.
import { readFile } from 'node:fs/promises';
import { ParsError } from '../../introspect/pars-error.js';
import { defaultPolicy, type Policy } from '../plan/policy.js';

export interface PolicyArguments {
  readonly policy?: string;
  readonly allowWeakCritical?: boolean;
}

export async function readPolicy(options: PolicyArguments): Promise<Policy> {
  if (options.policy === undefined) {
    return defaultPolicy;
  }
  const path = options.policy;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ParsError(
      'usage',
      `cannot read the policy ${path}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  const { parsePolicy } = await import('../plan/parse-policy.js');
  return parsePolicy(text, path, { allowWeakCritical: options.allowWeakCritical === true });
}
