// Which entries of a spool are sent now. A VM's entries go in the order of their moments: one that waits for its next
// attempt holds up those after it. One that failed does not, since nobody knows when it will go. Pure.
import type { SpoolEntry } from '../../spool/entries.js';

export interface DueRule {
  readonly nowMs: number;
  /** By hand: also what failed, at once. */
  readonly retryFailed: boolean;
  /** Whoever waits for the result does not want to wait for the next attempt's time as well. */
  readonly ignoresBackOff: boolean;
}

type Dated = Pick<SpoolEntry, 'vm' | 'name' | 'attempts'> & Partial<Pick<SpoolEntry, 'group'>>;

/** `entries`: oldest first, `done`: names that had their turn. Undefined when none of the VM is due. */
export function dueEntry<T extends Dated>(
  entries: readonly T[],
  vm: string,
  done: ReadonlySet<string>,
  { nowMs, retryFailed, ignoresBackOff }: DueRule,
): T | undefined {
  // Another VM of the same name holds up nothing of this one.
  const held = new Set<string | undefined>();
  for (const entry of entries.filter((candidate) => candidate.vm === vm)) {
    if (held.has(entry.group)) {
      continue;
    }
    const { state, nextMs } = entry.attempts;
    const hadItsTurn = done.has(entry.name);
    if (state === 'failed') {
      if (!hadItsTurn && (retryFailed || nextMs <= nowMs)) {
        return entry;
      }
    } else if (!hadItsTurn && (ignoresBackOff || nextMs <= nowMs)) {
      return entry;
    } else {
      held.add(entry.group);
    }
  }
  return undefined;
}
