// The guests whose memory is forged: small ones of three series of kernels, each stopped once and kept in the user's
// cache folder.
import { join } from 'node:path';
import type { GuestOptions } from '../guest/guest-options.js';
import { guestSnapshotFixture, type SnapshotFixture } from '../guest/snapshot-fixture.js';
import { cacheFolder } from '../setup/cache-folder.mjs';

/** By the series of the kernel. The newest has page tables of five levels. */
const guests = {
  '5.10': { kernelRelease: '5.10.' },
  '6.12': { kernelRelease: '6.12.' },
  '7.3': { kernelRelease: '7.3.', cpuModel: 'max' },
} as const satisfies Record<string, GuestOptions>;

export type BaseName = keyof typeof guests;
export const baseNames = Object.keys(guests) as readonly BaseName[];

/** Little memory, so that a case takes little time, and much of it free, where whole kernels can be put. */
const small: GuestOptions = {
  ramSizeMib: 384,
  vcpuCount: 2,
  anonymousSizeMib: 16,
  tmpfsSizeMib: 8,
  disk: { contentSizeMib: 24 },
};

/** Boots the guest unless it was booted before. */
export async function baseGuest(name: BaseName): Promise<SnapshotFixture> {
  return await guestSnapshotFixture(join(cacheFolder(), 'guests'), { ...small, ...guests[name] });
}
