// The policy that a command line asks for.
import { readFile } from 'node:fs/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import {
  heldByDisk,
  namedPolicies,
  type NamedPolicy,
  type PolicyName,
  policyNames,
} from '../../../plan/policy.js';

export interface PolicyArguments {
  /** One of `policyNames`, or a file. */
  readonly policy?: string;
  readonly allowWeakCritical?: boolean;
}

export async function readPolicy(options: PolicyArguments): Promise<NamedPolicy> {
  const { policy: path = 'strict' } = options;
  if (isPolicyName(path)) {
    return namedPolicies[path];
  }
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ParsError(
      'usage',
      `cannot read the policy ${path}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  const { parsePolicy } = await import('../../../plan/parse-policy.js');
  const policy = parsePolicy(text, path, {
    allowWeakCritical: options.allowWeakCritical === true,
  });
  return { policy, heldLabels: heldByDisk };
}

function isPolicyName(text: string): text is PolicyName {
  return (policyNames as readonly string[]).includes(text);
}
