// Policy is data: for each label, how many copies its pages get. The default follows from page-class.ts alone.
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';

/** Copies by label, 1..10. */
export type Policy = Readonly<Record<PageLabel, number>>;

/** What a policy file may say. */
export interface PolicyChanges {
  readonly default?:
    | { readonly critical?: number | undefined; readonly expendable?: number | undefined }
    | undefined;
  readonly replication?: Readonly<Partial<Record<PageLabel, number | undefined>>> | undefined;
}

export interface PolicyOptions {
  /** Accept a single copy of pages that a guest cannot do without (`--allow-weak-critical`). */
  readonly allowWeakCritical: boolean;
}

/** With one copy, one lost disk loses the guest. */
const minCriticalReplication = 2;
const defaults = { critical: 3, expendable: 1 } as const;

/** Critical pages three times, expendable pages once. */
export const defaultPolicy: Policy = buildPolicy({}, { allowWeakCritical: false });

/** The default policy with changes. Throws `usage` as `parsePolicy` does; numbers are taken as checked. */
export function buildPolicy(
  changes: PolicyChanges,
  { allowWeakCritical }: PolicyOptions,
  source = 'in force',
): Policy {
  const critical = changes.default?.critical ?? defaults.critical;
  const expendable = changes.default?.expendable ?? defaults.expendable;
  const entries = pageClasses.map((entry) => [
    entry.label,
    changes.replication?.[entry.label] ?? (entry.expendable ? expendable : critical),
  ]);
  const policy = Object.fromEntries(entries) as Policy;
  const weak = pageClasses.filter(
    ({ label, expendable }) => !expendable && policy[label] < minCriticalReplication,
  );
  if (weak.length > 0 && !allowWeakCritical) {
    const labels = weak.map(({ label, loss }) => `${label} (lost: ${loss})`).join(', ');
    throw new ParsError(
      'usage',
      `policy ${source}: expected at least ${minCriticalReplication} copies of critical pages, found 1 for ${labels}; ` +
        'raise it, or say --allow-weak-critical if one lost disk may cost the guest',
    );
  }
  return policy;
}
