// The guests that several test files look at, by name, so that each is booted once and not once per file.
import { join } from 'node:path';
import { guestOptionsOf, slice } from '../matrix/cases.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import type { GuestOptions } from './guest-options.js';
import { guestSnapshotFixture, type SnapshotFixture } from './snapshot-fixture.js';

const guests = {
  /** 512 MiB; its free pages hold old data, as those of a machine in use do. */
  aged: guestOptionsOf(slice.default),
  /** The oldest kernel, with many mapped files. */
  oldest: guestOptionsOf(slice.oldest),
  /** The newest kernel, with swap, merged and huge pages. */
  newest: guestOptionsOf(slice.newest),
  /** RAM on both sides of the hole below 4 GiB. */
  aboveHole: { ramSizeMib: 4096 },
} as const satisfies Record<string, GuestOptions>;

export type FixtureName = keyof typeof guests;

/** Boots the guest unless an earlier test run has left its snapshot in the user's cache folder. */
export async function fixtureGuest(name: FixtureName): Promise<SnapshotFixture> {
  return await guestSnapshotFixture(join(cacheFolder(), 'guests'), guests[name]);
}
