// A policy file changes what it names and nothing else. Apart from policy.ts, as most commands need no file, and what
// reads one takes longer to load than the labels of a small guest to find.
//
//   default:            # optional: all labels of a kind
//     critical: rs-6-3
//   replication:        # optional: single labels, over the default
//     free: 1
//     anon: 3
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { pageClasses } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { maxReplication } from '../pack/layout.js';
import { erasureCodeForm, parseErasureCode } from '../store/redundancy.js';
import { buildPolicy, type PageRedundancy, type Policy, type PolicyOptions } from './policy.js';

const copies = z
  .int({ error: 'expected a whole number' })
  .min(0, 'expected 0 copies or more')
  .max(maxReplication, `expected at most ${maxReplication} copies`);

const code = z.string().transform((text, context) => {
  const parsed = parseErasureCode(text);
  if (parsed === undefined) {
    context.addIssue({
      code: 'custom',
      message: `expected a number of copies, or ${erasureCodeForm}, found ${JSON.stringify(text)}`,
    });
    return z.NEVER;
  }
  return parsed;
});

/** Not a union: of two kinds that were tried it would say only that neither fits. */
const replication = z.unknown().transform((value, context): PageRedundancy => {
  const parsed = (typeof value === 'string' ? code : copies).safeParse(value);
  if (!parsed.success) {
    context.addIssue({ code: 'custom', message: parsed.error.issues[0].message });
    return z.NEVER;
  }
  return parsed.data;
});

const changesSchema = z.strictObject({
  default: z.strictObject({ critical: replication, expendable: replication }).partial().optional(),
  replication: z
    .strictObject(Object.fromEntries(pageClasses.map(({ label }) => [label, replication])))
    .partial()
    .optional(),
});

/**
 * Reads a policy file's text, YAML or JSON; `source` names it in messages. Throws `usage` for anything it does not
 * know, and for a critical label below 2 copies unless that is allowed.
 */
export function parsePolicy(text: string, source: string, options: PolicyOptions): Policy {
  const document = parseDocument(text);
  const problem = document.errors.at(0) ?? document.warnings.at(0);
  if (problem !== undefined) {
    // Below its first line the message draws where that is.
    const [sentence] = problem.message.split('\n', 1);
    throw new ParsError('usage', `policy ${source}: ${sentence.replace(/:$/, '')}`, {
      cause: problem,
    });
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

function describeIssue(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? 'the file' : issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') {
    return `${where}: ${issue.message}`;
  }
  const unknown = issue.keys.map((key) => `"${key}"`).join(', ');
  if (issue.path[0] !== 'replication') {
    return `${where}: ${unknown} is not known`;
  }
  const labels = pageClasses.map(({ label }) => label).join(', ');
  return `${where}: no label ${unknown}; the labels are ${labels}`;
}
