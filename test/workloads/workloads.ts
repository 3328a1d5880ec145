// What the guests do, and when each is looked at. Moments are told by the workload's own progress; scripts/NAME.sh says
// in which unit.
import type { KernelFlavour } from '../setup/kernel.mjs';
import { testedSeries } from '../setup/kernel.mjs';

export const momentNames = ['early', 'middle', 'late'] as const;
export type MomentName = (typeof momentNames)[number];

export interface Workload {
  readonly name: string;
  /** A sentence's end: "the guest ...". */
  readonly does: string;
  readonly ramSizeMib: number;
  /** At least so far. */
  readonly moments: Readonly<Record<MomentName, number>>;
  /** What `moments` counts. */
  readonly unit: string;
}

export const workloads: readonly Workload[] = [
  {
    name: 'mariadb',
    does: 'runs MariaDB with a buffer pool of half of the RAM under sysbench oltp_read_write, on tables larger than that',
    ramSizeMib: 1024,
    moments: { early: 20, middle: 500, late: 1200 },
    unit: 'transactions',
  },
  {
    name: 'lucene',
    does: 'builds a Lucene index over 8 MiB of text with Zipf-like words (early, middle), then queries it (late)',
    ramSizeMib: 1024,
    moments: { early: 10, middle: 60, late: 102 },
    unit: '% of the text, then a hundred queries each',
  },
  {
    name: 'mummer',
    does: 'aligns a synthetic genome of 5 Mbp with a mutated copy in 100 pieces, by nucmer of MUMmer',
    ramSizeMib: 1024,
    moments: { early: 1, middle: 200, late: 500 },
    unit: 'pieces matched, each on both strands, of all alignments',
  },
  {
    name: 'compile',
    does: 'compiles nginx with gcc, by make -j2',
    ramSizeMib: 1024,
    moments: { early: 1, middle: 5, late: 10 },
    unit: 'object files',
  },
  {
    name: 'idle',
    does: 'has booted and does nothing',
    ramSizeMib: 1024,
    moments: { early: 1, middle: 120, late: 180 },
    unit: 'seconds of uptime',
  },
  {
    name: 'aged',
    does: 'has read all of /usr, run and ended many processes, and taken and given back memory and files, over and over',
    ramSizeMib: 1024,
    moments: { early: 1, middle: 3, late: 5 },
    unit: 'pieces of work',
  },
];

export interface WorkloadCase {
  readonly workload: Workload;
  /** Release prefix of the kernel. */
  readonly series: string;
  readonly flavour: KernelFlavour;
}

/** Workload by workload, all on one kernel before the next one is begun: a run that is broken off has whole columns. */
export const workloadCases: readonly WorkloadCase[] = [
  testedSeries.default,
  testedSeries.newest,
].flatMap((series) =>
  workloads.map((workload) => ({ workload, series, flavour: 'cloud' as const })),
);

export function caseName({ workload, series, flavour }: WorkloadCase): string {
  return `${workload.name}-${series}x-${flavour}`;
}
