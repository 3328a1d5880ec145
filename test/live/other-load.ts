// How busy the machine was with what is not ours: how long a guest stands still follows from that too.
import { readFileSync } from 'node:fs';

/** Since it was made, or asked last. */
export class OtherLoad {
  readonly #pid: number;
  #last: CpuTicks;

  /** `pid`: of the guest's QEMU, which is ours as this process is. */
  constructor(pid: number) {
    this.#pid = pid;
    this.#last = readTicks(pid);
  }

  /** The part of all CPUs' time. */
  share(): number {
    const now = readTicks(this.#pid);
    const busy = now.busy - this.#last.busy - (now.own - this.#last.own);
    const share = busy / Math.max(1, now.total - this.#last.total);
    this.#last = now;
    return Math.max(0, share);
  }
}

interface CpuTicks {
  readonly total: number;
  readonly busy: number;
  readonly own: number;
}

function readTicks(pid: number): CpuTicks {
  // user nice system idle iowait irq softirq steal; guests' time is in user. (proc(5))
  const times = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  const total = times.reduce((sum, time) => sum + time, 0);
  const [, , , idle, wait] = times;
  return { total, busy: total - idle - wait, own: ticksOf(pid) + ticksOf(process.pid) };
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
