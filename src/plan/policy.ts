// Policy is data: for each label, how many copies its pages get, or which erasure code. The default follows from page-class.ts alone.
import { pageClasses, type PageLabel } from '../../introspect/page-class.js';
import { ParsError } from '../../introspect/pars-error.js';
import { copiesWorth, type ReedSolomon } from '../store/redundancy.js';

/** Copies, 1..10, or an erasure code; 0 copies for pages that are not stored, as a restore can do without. */
export type PageRedundancy = number | ReedSolomon;

export type Policy = Readonly<Record<PageLabel, PageRedundancy>>;

/** What a policy file may say. */
export interface PolicyChanges {
  readonly default?:
    | {
        readonly critical?: PageRedundancy | undefined;
        readonly expendable?: PageRedundancy | undefined;
      }
    | undefined;
  readonly replication?:
    Readonly<Partial<Record<PageLabel, PageRedundancy | undefined>>> | undefined;
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

export const policyNames = ['strict', 'disk', 'lean'] as const;
export type PolicyName = (typeof policyNames)[number];

/** A policy, and what it makes of pages that a disk image holds. */
export interface NamedPolicy {
  readonly policy: Policy;
  /** Pages of these labels become `disk-held` where a disk image of the same moment is seen to hold them. */
  readonly heldLabels: readonly PageLabel[];
}

/** Cache that the guest cannot be made to read again: it is mapped, or has buffers. */
export const heldByDisk: readonly PageLabel[] = ['file-clean', 'block-device'];
const notStored = { free: 0, 'free-pcp': 0, offline: 0, 'disk-held': 0 };

/**
 * `strict` stores once what heals without a disk, `disk` also what the disk holds, and `lean` stores neither free pages
 * nor what the disk holds.
 */
export const namedPolicies: Readonly<Record<PolicyName, NamedPolicy>> = {
  strict: { policy: defaultPolicy, heldLabels: [] },
  disk: { policy: defaultPolicy, heldLabels: heldByDisk },
  lean: {
    policy: buildPolicy({ replication: notStored }, { allowWeakCritical: false }),
    heldLabels: [...heldByDisk, 'file-reread'],
  },
};

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
  const dropped = pageClasses.find(({ label, expendable }) => !expendable && policy[label] === 0);
  if (dropped !== undefined) {
    throw new ParsError(
      'usage',
      `policy ${source}: expected copies of ${dropped.label}, found 0; only expendable pages can be left out`,
    );
  }
  const weak = pageClasses.filter(
    ({ label, expendable }) => !expendable && worthOf(policy[label]) < minCriticalReplication,
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

/** As many copies survive the loss of as many nodes. */
function worthOf(redundancy: PageRedundancy): number {
  return typeof redundancy === 'number' ? redundancy : copiesWorth(redundancy);
}
