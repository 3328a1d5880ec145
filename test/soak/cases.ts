// The guests that must survive, and what they lose. Every kernel in both flavours under four workloads, at two or three
// moments each; at every moment once all that is stored once, and once a part of it.
import type { PolicyName } from '../../src/plan/policy.js';
import type { DataDiskOptions } from '../guest/data-disk.js';
import type { GuestOptions, Workload } from '../guest/guest-options.js';
import { survivalSizes } from '../guest/survival.js';
import { type KernelFlavour, testedSeries } from '../setup/kernel.mjs';

export interface SoakGuest {
  readonly series: string;
  readonly flavour: KernelFlavour;
  readonly workload: Workload;
  readonly fileSystem: DataDiskOptions['fileSystem'] & string;
  readonly kernelArguments: readonly string[];
  readonly vcpuCount: 1 | 2;
  readonly moments: readonly SoakMoment[];
}

/** A snapshot, and what is taken from it. */
export interface SoakMoment {
  readonly policy: PolicyName;
  readonly part?: PartialLoss;
}

/** Which of the expendable pages are lost. */
export interface PartialLoss {
  readonly share: number;
  /** Runs of random length anywhere, or one half of each large folio as well. */
  readonly shape: 'runs' | 'folio halves';
}

const seriesNames = ['5.10.', '6.1.', '6.12.', '6.18.', '7.'] as const;
const flavours = ['cloud', 'generic'] as const;
const workloads = ['programs', 'database', 'anonymous', 'aged'] as const;

const parts: readonly PartialLoss[] = [
  { share: 0.01, shape: 'runs' },
  { share: 0.1, shape: 'folio halves' },
  { share: 0.5, shape: 'runs' },
  { share: 0.1, shape: 'runs' },
  { share: 0.5, shape: 'folio halves' },
  { share: 0.01, shape: 'folio halves' },
];

/** What a kernel watches over its own memory with. Debian's cloud kernels are built without page poisoning. */
const debugArguments = [
  ['init_on_free=1'],
  ['page_poison=1'],
  ['slub_debug=FZP', 'debug_pagealloc=on'],
] as const;

const plainGuests: readonly SoakGuest[] = seriesNames.flatMap((series, row) =>
  flavours.flatMap((flavour, column) =>
    workloads.map((workload, index): SoakGuest => {
      const turn = row + column + index;
      return {
        series,
        flavour,
        workload,
        // XFS under every second guest whose workload leaves it the choice.
        fileSystem:
          turn % 2 === 1 && (workload === 'programs' || workload === 'database') ? 'xfs' : 'ext4',
        kernelArguments: [],
        vcpuCount: turn % 3 === 0 ? 1 : 2,
        moments: policiesOf(flavour, turn).map((policy, moment) => ({
          policy,
          part: parts[(turn + moment * 2) % parts.length],
        })),
      };
    }),
  ),
);

function policiesOf(flavour: KernelFlavour, turn: number): readonly PolicyName[] {
  return flavour === 'cloud'
    ? ['strict', 'disk', 'lean']
    : ['strict', turn % 2 === 0 ? 'disk' : 'lean'];
}

const watchingGuests: readonly SoakGuest[] = seriesNames.flatMap((series, row) =>
  debugArguments.map((kernelArguments, index) => ({
    series,
    flavour: 'generic' as const,
    workload: (row + index) % 2 === 0 ? ('programs' as const) : ('database' as const),
    fileSystem: 'ext4' as const,
    kernelArguments,
    vcpuCount: 2 as const,
    moments: [{ policy: 'strict' as const }],
  })),
);

export const soakGuests: readonly SoakGuest[] = [...plainGuests, ...watchingGuests];

/** What `npm test` takes from it. */
export const soakSlice: SoakGuest = {
  series: testedSeries.default,
  flavour: 'cloud',
  workload: 'programs',
  fileSystem: 'ext4',
  kernelArguments: [],
  vcpuCount: 2,
  moments: [{ policy: 'strict' }],
};

export function guestName({ series, flavour, workload, kernelArguments }: SoakGuest): string {
  return [`${series}x`, flavour, workload, ...kernelArguments].join('-');
}

export function guestOptionsOf(guest: SoakGuest): GuestOptions {
  return {
    kernelRelease: guest.series,
    kernelFlavour: guest.flavour,
    workload: guest.workload,
    ...survivalSizes[guest.workload],
    vcpuCount: guest.vcpuCount,
    kernelArguments: guest.kernelArguments,
    disk: { ...survivalSizes[guest.workload].disk, fileSystem: guest.fileSystem },
  };
}
