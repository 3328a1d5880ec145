// How busy the processors are, by this process and by all others: what is packed on them is not sent by anybody meanwhile.
import { availableParallelism, cpus } from 'node:os';

/** The kernel counts in steps of 10 ms: between moments nearer than this nothing is to be seen. */
const leastMs = 100;

interface Spent {
  readonly atMs: number;
  /** By all processors, on anything but waiting. */
  readonly machineMs: number;
  /** By this process. */
  readonly ownMs: number;
}

export class BusyProcessors {
  #last = spentNow();
  #busySeconds = 0;

  /**
   * Seconds since this was made in which all processors would have been busy, had all work been spread evenly: of the machine's
   * processors and all that runs on them, or of those that this process may use and what it did itself, whichever is more.
   */
  seconds(): number {
    if (performance.now() - this.#last.atMs >= leastMs) {
      const before = this.#last;
      this.#last = spentNow();
      const ofMachine = (this.#last.machineMs - before.machineMs) / cpus().length;
      const own = (this.#last.ownMs - before.ownMs) / availableParallelism();
      this.#busySeconds += Math.max(0, ofMachine, own) / 1000;
    }
    return this.#busySeconds;
  }
}

function spentNow(): Spent {
  const { user, system } = process.cpuUsage();
  const machineMs = cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
  return { atMs: performance.now(), machineMs, ownMs: (user + system) / 1000 };
}
