// The areas of a process's memory, as Linux tells of them. (proc_pid_smaps(5))

/** The paragraphs of a `/proc/PID/smaps`, one for each area. */
export const areasOf = (smaps: string): readonly string[] =>
  smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);

/** Addresses in that process; `end` is the first that is not of the area. */
export interface AreaRange {
  readonly start: number;
  readonly end: number;
}

/** Where the area of one such paragraph lies. */
export function rangeOf(area: string): AreaRange {
  const [start, end] = area
    .slice(0, area.indexOf(' '))
    .split('-')
    .map((address) => Number.parseInt(address, 16));
  return { start, end };
}
