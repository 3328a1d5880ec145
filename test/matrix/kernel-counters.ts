// Totals that the guest's kernel keeps, from the text that it wrote right before the stop.
import { readFileSync } from 'node:fs';

export interface KernelCounters {
  /** NR_FREE_PAGES over all zones: pages in the buddy allocator. */
  readonly buddyPageCount: number;
  /** Over all zones and CPUs: pages on the CPUs' own free lists. */
  readonly perCpuPageCount: number;
  /** KiB by name. */
  readonly meminfo: ReadonlyMap<string, number>;
}

export function readKernelCounters(path: string): KernelCounters {
  const text = readFileSync(path, 'utf8');
  const sections = new Map(
    text
      .split(/^# \/proc\//m)
      .slice(1)
      .map((section) => {
        const end = section.indexOf('\n');
        return [section.slice(0, end).trim(), section.slice(end + 1)];
      }),
  );
  const zoneinfo = sections.get('zoneinfo') ?? '';
  const counts = {
    buddyPageCount: sumOf(zoneinfo, /^ +pages free +(\d+)$/gm),
    perCpuPageCount: sumOf(zoneinfo, /^ +count: +(\d+)$/gm),
  };
  if (counts.buddyPageCount === 0) {
    throw new Error(`expected zones with free pages in ${path}`);
  }
  const meminfo = [...(sections.get('meminfo') ?? '').matchAll(/^(.+?): +(\d+)/gm)];
  return { ...counts, meminfo: new Map(meminfo.map(([, name, kib]) => [name, Number(kib)])) };
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, number]) => sum + Number(number), 0);
}
