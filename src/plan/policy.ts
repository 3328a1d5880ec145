// Policy is data: for each label, how many copies its pages get. The default follows from page-class.ts alone; a policy
// file changes what it names and nothing else.
//
//   default:            # optional: all labels of a kind
//     critical: 2
//   replication:        # optional: single labels, over the default
//     free: 1
//     anon: 3
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { maxReplication } from '../pack/layout.js';

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

const replication = z
  .int({ error: 'expected a whole number' })
  .min(1, 'expected at least 1 copy: leaving pages out (0) is not possible yet')
  .max(maxReplication, `expected at most ${maxReplication} copies`);

const changesSchema = z.strictObject({
  default: z.strictObject({ critical: replication, expendable: replication }).partial().optional(),
  replication: z
    .strictObject(Object.fromEntries(pageClasses.map(({ label }) => [label, replication])))
    .partial()
    .optional(),
});

/** Critical pages three times, expendable pages once. */
export const defaultPolicy: Policy = buildPolicy({}, { allowWeakCritical: false });

/**
 * Reads a policy file's text, YAML or JSON; `source` names it in messages. Throws `usage` for anything it does not
 * know, and for a critical label below 2 copies unless that is allowed.
 */
export function parsePolicy(text: string, source: string, options: PolicyOptions): Policy {
  const document = parseDocument(text);
  const problem = document.errors.at(0) ?? document.warnings.at(0);
  if (problem !== undefined) {
    throw new ParsError('usage', `policy ${source}: ${problem.message}`, { cause: problem });
  }
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ParsError('usage', `policy ${source}: ${reason}`, { cause: error });
  }
  const parsed = changesSchema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(describeIssue);
    throw new ParsError('usage', `policy ${source}: ${problems.join('; ')}`);
  }
  return buildPolicy(parsed.data, options, source);
}

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

function describeIssue(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? 'the file' : issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${where}: ${issue.message}`;
  const unknown = issue.keys.map((key) => `"${key}"`).join(', ');
  if (issue.path[0] !== 'replication') return `${where}: ${unknown} is not known`;
  const labels = pageClasses.map(({ label }) => label).join(', ');
  return `${where}: no label ${unknown}; the labels are ${labels}`;
}
