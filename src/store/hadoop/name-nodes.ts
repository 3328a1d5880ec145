// The NameNodes of one name service: one is active, the others stand by or are down, and that changes.
//
// The one that answered last is asked first. Who is `unavailable` (standby, safe mode, connection refused) is passed
// over; when none is left the caller may wait and ask again (retry.ts).

import { ParsError } from '../../../introspect/pars-error.js';
import { isUnavailable } from './retry.js';

export class NameNodes {
  readonly #hostPorts: readonly string[];
  #activeIndex = 0;

  constructor(hostPorts: readonly string[]) {
    this.#hostPorts = hostPorts;
  }

  /** Calls `ask` with the `host:port` of one NameNode after the other until one is not `unavailable`. */
  async ask<T>(ask: (hostPort: string) => Promise<T>): Promise<T> {
    const count = this.#hostPorts.length;
    const firstIndex = this.#activeIndex;
    const failures: ParsError[] = [];
    for (let step = 0; step < count; step++) {
      const index = (firstIndex + step) % count;
      try {
        const answer = await ask(this.#hostPorts[index]);
        this.#activeIndex = index;
        return answer;
      } catch (error) {
        if (!(error instanceof ParsError) || !isUnavailable(error)) {
          // It decided, so it is the active one.
          this.#activeIndex = index;
          throw error;
        }
        failures.push(error);
      }
    }
    if (failures.length === 1) {
      throw failures[0];
    }
    const found = failures.map((failure) => failure.message).join('; ');
    throw new ParsError('unavailable', `none of the ${count} NameNodes is active: ${found}`, {
      cause: failures.at(-1),
    });
  }
}
