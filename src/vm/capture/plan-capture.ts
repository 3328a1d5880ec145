// Which way a running VM is captured, by what it offers; what that costs; and why not a better one. Pure.
import { ParsError } from '../../../introspect/pars-error.js';
import type { VmFacts } from './vm-facts.js';

/** Best first: by how long the VM stands still. */
export const captureWays = {
  'background-snapshot':
    'QEMU tracks writes (background-snapshot): the VM runs on while its RAM is written',
  'mapped-ram':
    'the VM stands still while QEMU writes its RAM to a file of fixed places, and its disks are copied',
  'shared-ram': 'the VM stands still while the file that is its RAM is copied, and its disks are',
  stream: 'the VM stands still while QEMU writes its RAM as a stream, and its disks are copied',
} as const;

export type CaptureWay = keyof typeof captureWays;

export interface CapturePlan {
  readonly way: CaptureWay;
  /** The better ways, and what each lacks. */
  readonly passedOver: readonly { readonly way: CaptureWay; readonly why: string }[];
  /** For how long the VM is expected to stand still. An estimate, from guests that were measured. */
  readonly expectedDowntimeMs: number;
  /** Room needed for the files at most, but for what the VM overwrites on its disks meanwhile. */
  readonly scratchSizeBytes: number;
}

export interface CaptureLimits {
  readonly withoutDisks?: boolean | undefined;
  readonly maxDowntimeMs?: number | undefined;
}

/** Every step of its own beside the RAM: stopping, the disks, the devices. */
const baseDowntimeMs = 5;
/** Touching and write-protecting every page in small pages: 16 to 20 ms for 512 MiB (bench/live-downtime). */
const protectedSmallBytesPerMs = 32 * 2 ** 20;
/** Write-protecting every page in huge pages: 14 ms with all else for 2 GiB, with two disks 22 (bench/live-downtime). */
const protectedHugeBytesPerMs = 128 * 2 ** 20;
/** Writing or copying RAM into a file on one machine of today, half of it not zero. */
const copiedBytesPerMs = 2 ** 20;

/**
 * `inSmallPagesBytes`: what of the RAM is in small pages on the host; all of it where that is not known. Throws `usage` when the
 * VM is in no state for it, or would stand still for too long.
 */
export function planCapture(
  facts: VmFacts,
  limits: CaptureLimits = {},
  inSmallPagesBytes = facts.ramSizeBytes,
): CapturePlan {
  if (facts.status !== 'running') {
    throw new ParsError(
      'usage',
      `the VM is ${facts.status}: expected a running one, since a snapshot lets it run on; ` +
        'of a VM that stands still, upload its RAM file or a saved stream instead',
    );
  }
  const { maxDowntimeMs } = limits;
  const disks = limits.withoutDisks === true ? [] : facts.disks;
  const whyNot: Readonly<Record<CaptureWay, string | undefined>> = {
    'background-snapshot':
      facts.backgroundSnapshot ?? (disks.length > 0 ? facts.diskExports : undefined),
    'mapped-ram': facts.mappedRam,
    'shared-ram': 'missing' in facts.sharedRam ? facts.sharedRam.missing : undefined,
    stream: undefined,
  };
  const ways = Object.keys(captureWays) as readonly CaptureWay[];
  const way = ways.find((name) => whyNot[name] === undefined) ?? 'stream';
  const scratchSizeBytes =
    facts.ramSizeBytes + disks.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const expectedDowntimeMs = Math.ceil(
    baseDowntimeMs +
      (way === 'background-snapshot'
        ? protectMs(facts.ramSizeBytes, inSmallPagesBytes)
        : scratchSizeBytes / copiedBytesPerMs),
  );
  const passedOver = ways
    .slice(0, ways.indexOf(way))
    .map((name) => ({ way: name, why: whyNot[name] ?? '' }));
  if (maxDowntimeMs !== undefined && expectedDowntimeMs > maxDowntimeMs) {
    const reasons = passedOver.map(({ way: name, why }) => `; ${name} cannot be had: ${why}`);
    throw new ParsError(
      'usage',
      `the VM would stand still for about ${expectedDowntimeMs} ms (${way}), more than the ${maxDowntimeMs} ms ` +
        `allowed, and nothing was done${reasons.join('')}`,
    );
  }
  return { way, passedOver, expectedDowntimeMs, scratchSizeBytes };
}

function protectMs(ramSizeBytes: number, inSmallPagesBytes: number): number {
  // A process's areas may have more pages than the VM has RAM, as that of a screen.
  const smallBytes = Math.min(inSmallPagesBytes, ramSizeBytes);
  return (
    smallBytes / protectedSmallBytesPerMs + (ramSizeBytes - smallBytes) / protectedHugeBytesPerMs
  );
}
