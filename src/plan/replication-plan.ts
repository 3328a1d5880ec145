// The planner's result: runs of pages with one label and one replication, as columns. Plain data, printed by a dry run.
import { ParsError } from '../../introspect/pars-error.js';
import { copies, ecPolicyName, type Redundancy, type ReedSolomon } from '../store/redundancy.js';
import type { PageRedundancy } from './policy.js';

/** Beyond every number of copies. A policy has fewer labels than there are numbers from here to 254. */
const firstCodeNumber = 128;

/** Columns of equal length, ascending by firstPage, covering every page of the image exactly once. */
export interface ReplicationPlan {
  readonly pageCount: number;
  /** Page index in image order. */
  readonly firstPage: Uint32Array;
  readonly runPageCount: Uint32Array;
  /** Label number, introspect/page-class.ts. */
  readonly label: Uint8Array;
  /** 0: not stored; 1..10: copies; from 128 on: a code, by its place in `codes`. */
  readonly replication: Uint8Array;
  /** Absent where there are copies only. */
  readonly codes?: readonly ReedSolomon[];
}

/** What the number in a plan's column stands for: no copies where it is not stored. Throws `unsupported` for a code that is not there. */
export function plannedRedundancy(
  { codes = [] }: Pick<ReplicationPlan, 'codes'>,
  replication: number,
): Redundancy {
  if (replication < firstCodeNumber) {
    return copies(replication);
  }
  const code = codes.at(replication - firstCodeNumber);
  if (code === undefined) {
    throw new ParsError(
      'unsupported',
      `a plan with ${codes.length} erasure codes asks for number ${replication}; the first is ${firstCodeNumber}`,
    );
  }
  return code;
}

/** Gives each redundancy its number in a column, and each code its place. */
export class PlanNumbers {
  readonly #codes: ReedSolomon[] = [];

  /** Equal codes get one number. */
  of(redundancy: PageRedundancy): number {
    if (typeof redundancy === 'number') {
      return redundancy;
    }
    const name = ecPolicyName(redundancy);
    let place = this.#codes.findIndex((code) => ecPolicyName(code) === name);
    if (place < 0) {
      place = this.#codes.push(redundancy) - 1;
    }
    return firstCodeNumber + place;
  }

  /** What a plan says of its codes. */
  get codes(): Pick<ReplicationPlan, 'codes'> {
    return this.#codes.length === 0 ? {} : { codes: this.#codes };
  }
}
