// What processes that run on have cost so far, from /proc/PID/stat (proc_pid_stat(5)).
import { readFile } from 'node:fs/promises';

/** USER_HZ of x86-64. */
const ticksPerSecond = 100;

/** User and system time of all of them together. */
export async function cpuSecondsOf(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command's name stands in parentheses and may hold anything; utime and stime are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}
