// The guests that introspection is held against: every kernel of Debian's in both flavours under three workloads, then kernels
// and machines of other makes. CPUs, paging and RAM are spread so that every two values of different columns meet in some row
// of Debian's kernels, as an error seldom needs three.
import type { GuestOptions } from '../guest/guest-options.js';
import { builtSeries } from '../setup/built-kernel.mjs';
import { type KernelFlavour, testedSeries } from '../setup/kernel.mjs';
import { allPagesKnown, type Demands, freePagesKnown } from './figures.js';

export interface MatrixCase {
  /** Release prefix of the kernel. The last one is that of whatever is newest. */
  readonly series: string;
  readonly flavour: KernelFlavour;
  readonly workload: 'cache' | 'anonymous' | 'aged';
  readonly vcpuCount: 1 | 2 | 4;
  readonly pagingLevels: 4 | 5;
  readonly ramSizeMib: 512 | 5120;
  /** More than that in a DIMM, whose file is joined to that of the RAM. */
  readonly dimmSizeMib?: number;
  /** So much of it lies below 4 GiB, and a map of the image says so. */
  readonly lowRamSizeMib?: number;
  readonly kernelArguments?: readonly string[];
}

/** The kernel gives back most of the memmap of huge pages, and maps the rest in its place. */
const withoutHugePageMemmap = { kernelArguments: ['hugetlb_free_vmemmap=on'] };

export const debianCases: readonly MatrixCase[] = [
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

const otherCases: readonly MatrixCase[] = [
  row(builtSeries, 'nobtf', 'aged', 2, 4, 512),
  row(builtSeries, 'nobtf', 'cache', 1, 4, 512),
  row(builtSeries, 'nosmp', 'aged', 1, 4, 512),
  row(builtSeries, 'nosmp', 'anonymous', 1, 4, 512),
  { ...row('6.1.', 'cloud', 'aged', 2, 4, 512), dimmSizeMib: 256 },
  { ...row('7.', 'cloud', 'cache', 2, 5, 512), lowRamSizeMib: 256 },
];

export const matrixCases: readonly MatrixCase[] = [...debianCases, ...otherCases];

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

export function caseName({
  series,
  flavour,
  workload,
  dimmSizeMib,
  lowRamSizeMib,
}: MatrixCase): string {
  const places =
    dimmSizeMib !== undefined ? '-dimm' : lowRamSizeMib !== undefined ? '-low-ram' : '';
  return `${series}x-${flavour}-${workload}${places}`;
}

export function demandsOf({ flavour }: MatrixCase): Demands {
  return flavour === 'nobtf' ? freePagesKnown : allPagesKnown;
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
  if (found === undefined) {
    throw new Error(`the matrix has no ${series} ${workload}`);
  }
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
    ...(entry.dimmSizeMib === undefined ? {} : { dimmSizeMib: entry.dimmSizeMib }),
    ...(entry.lowRamSizeMib === undefined ? {} : { lowRamSizeMib: entry.lowRamSizeMib }),
    ...(entry.kernelArguments === undefined ? {} : { kernelArguments: entry.kernelArguments }),
    // Random bytes come at some 10 MiB/s from an emulated CPU.
    ...(isLarge ? { fillSizeMib: 384 } : {}),
    ...(isLarge && entry.workload === 'cache' ? { disk: { contentSizeMib: 600 } } : {}),
  };
}
