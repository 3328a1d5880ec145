// What became of each case of the soak.
import { join } from 'node:path';
import { findKernelPackage } from '../guest/kernel-package.js';
import { hashOfSources, identityOf, keep, readKept } from '../kept-results.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import { guestName, guestOptionsOf, type SoakGuest } from './cases.js';
import type { Outcome } from './survive.js';

export interface CaseResult {
  /** `uname -r`. */
  readonly release: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** How often it was tried: a guest that died is booted again. Absent for once. */
  readonly tries?: number;
}

/** Which loss at which moment: `0-all`, `0-part`. */
export type CaseKey = `${number}-${'all' | 'part'}`;

export const soakFolder = join(cacheFolder(), 'soak');

const sources = hashOfSources([
  ...['introspect', 'src/disk', 'src/loss', 'src/manifest', 'src/pack', 'src/plan'],
  ...['src/restore', 'src/snapshot', 'test/guest', 'test/soak'],
]);

export function caseKeys(guest: SoakGuest): readonly CaseKey[] {
  return guest.moments.flatMap(({ part }, moment): CaseKey[] =>
    part === undefined ? [`${moment}-all`] : [`${moment}-all`, `${moment}-part`],
  );
}

/** What was found when the same sources met the same guest, or undefined. */
export function readResult(guest: SoakGuest, key: CaseKey): CaseResult | undefined {
  return readKept(resultPath(guest, key), identityOfGuest(guest)) as CaseResult | undefined;
}

export function triesOf(result: CaseResult | undefined): number {
  return result === undefined ? 0 : (result.tries ?? 1);
}

export function writeResult(guest: SoakGuest, key: CaseKey, result: CaseResult): void {
  keep(resultPath(guest, key), identityOfGuest(guest), result);
}

function resultPath(guest: SoakGuest, key: CaseKey): string {
  return join(soakFolder, `${guestName(guest)}-${key}.json`);
}

function identityOfGuest(guest: SoakGuest): string {
  const options = guestOptionsOf(guest);
  const { release } = findKernelPackage(options.kernelRelease, options.kernelFlavour);
  return identityOf([sources, options, guest.moments, release]);
}
