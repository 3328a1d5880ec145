// The guests that introspection is held against: every kernel in both flavours under three workloads. CPUs, paging and
// RAM are spread so that every two values of different columns meet in some row, as an error seldom needs three.
import { testedSeries, type KernelFlavour } from '../setup/kernel.mjs';
import type { GuestOptions } from '../guest/guest-options.js';

export interface MatrixCase {
  /** Release prefix of the kernel. The last one is that of whatever is newest. */
  readonly series: string;
  readonly flavour: KernelFlavour;
  readonly workload: 'cache' | 'anonymous' | 'aged';
  readonly vcpuCount: 1 | 2 | 4;
  readonly pagingLevels: 4 | 5;
  readonly ramSizeMib: 512 | 5120;
  readonly kernelArguments?: readonly string[];
}

/** The kernel gives back most of the memmap of huge pages, and maps the rest in its place. */
const withoutHugePageMemmap = { kernelArguments: ['hugetlb_free_vmemmap=on'] };

export const matrixCases: readonly MatrixCase[] = [
  // Debian builds 5.10 without five-level paging.
  row('5.10.', 'cloud', 'cache', 4, 4, 512),
  row('5.10.', 'cloud', 'anonymous', 2, 4, 512),
  row('5.10.', 'cloud', 'aged', 4, 4, 512),
  row('5.10.', 'generic', 'cache', 1, 4, 5120),
  row('5.10.', 'generic', 'anonymous', 2, 4, 512),
  row('5.10.', 'generic', 'aged', 1, 4, 512),
  row('6.1.', 'cloud', 'cache', 1, 5, 5120),
  row('6.1.', 'cloud', 'anonymous', 1, 4, 512),
  row('6.1.', 'cloud', 'aged', 2, 4, 512),
  row('6.1.', 'generic', 'cache', 2, 5, 512),
  row('6.1.', 'generic', 'anonymous', 4, 4, 5120),
  row('6.1.', 'generic', 'aged', 4, 5, 512),
  row('6.12.', 'cloud', 'cache', 2, 5, 512),
  row('6.12.', 'cloud', 'anonymous', 1, 4, 5120),
  row('6.12.', 'cloud', 'aged', 1, 4, 512),
  row('6.12.', 'generic', 'cache', 4, 5, 512),
  { ...row('6.12.', 'generic', 'anonymous', 2, 5, 512), ...withoutHugePageMemmap },
  row('6.12.', 'generic', 'aged', 4, 4, 512),
  row('6.18.', 'cloud', 'cache', 1, 4, 512),
  row('6.18.', 'cloud', 'anonymous', 1, 5, 512),
  row('6.18.', 'cloud', 'aged', 4, 5, 512),
  row('6.18.', 'generic', 'cache', 4, 4, 512),
  row('6.18.', 'generic', 'anonymous', 2, 5, 512),
  row('6.18.', 'generic', 'aged', 2, 4, 5120),
  row('7.', 'cloud', 'cache', 2, 5, 512),
  row('7.', 'cloud', 'anonymous', 1, 5, 512),
  row('7.', 'cloud', 'aged', 1, 4, 512),
  row('7.', 'generic', 'cache', 2, 5, 512),
  { ...row('7.', 'generic', 'anonymous', 4, 4, 512), ...withoutHugePageMemmap },
  row('7.', 'generic', 'aged', 4, 4, 5120),
];

function row(
  series: string,
  flavour: KernelFlavour,
  workload: MatrixCase['workload'],
  vcpuCount: MatrixCase['vcpuCount'],
  pagingLevels: MatrixCase['pagingLevels'],
  ramSizeMib: MatrixCase['ramSizeMib'],
): MatrixCase {
  return { series, flavour, workload, vcpuCount, pagingLevels, ramSizeMib };
}

export function caseName({ series, flavour, workload }: MatrixCase): string {
  return `${series}x-${flavour}-${workload}`;
}

/** What `npm test` takes from the matrix: three kernels, each under another workload. */
export const slice = {
  default: findCase(testedSeries.default, 'aged'),
  oldest: findCase(testedSeries.oldest, 'cache'),
  newest: findCase(testedSeries.newest, 'anonymous'),
};

function findCase(series: string, workload: MatrixCase['workload']): MatrixCase {
  const found = matrixCases.find(
    (entry) => entry.series === series && entry.flavour === 'cloud' && entry.workload === workload,
  );
  if (found === undefined) throw new Error(`the matrix has no ${series} ${workload}`);
  return found;
}

export function guestOptionsOf(entry: MatrixCase): GuestOptions {
  const isLarge = entry.ramSizeMib > 512;
  return {
    kernelRelease: entry.series,
    kernelFlavour: entry.flavour,
    workload: entry.workload,
    vcpuCount: entry.vcpuCount,
    cpuModel: entry.pagingLevels === 5 ? 'max' : 'max,la57=off',
    ramSizeMib: entry.ramSizeMib,
    ...(entry.kernelArguments === undefined ? {} : { kernelArguments: entry.kernelArguments }),
    // Random bytes come at some 10 MiB/s from an emulated CPU.
    ...(isLarge ? { fillSizeMib: 384 } : {}),
    ...(isLarge && entry.workload === 'cache' ? { disk: { contentSizeMib: 600 } } : {}),
  };
}
