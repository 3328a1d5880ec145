// What became of each case, kept in the user's cache as it comes, so that a run of an hour can be interrupted. Results
// are good for as long as nothing has changed that they follow from.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findKernelPackage } from '../guest/kernel-package.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import { guestName, guestOptionsOf, type SoakGuest } from './cases.js';
import type { Outcome } from './survive.js';

export interface CaseResult {
  /** `uname -r`. */
  readonly release: string;
  readonly outcome: Outcome;
  readonly seconds: number;
}

/** Which loss at which moment: `0-all`, `0-part`. */
export type CaseKey = `${number}-${'all' | 'part'}`;

export const soakFolder = join(cacheFolder(), 'soak');

const sourceFolders = [
  ...['introspect', 'src/disk', 'src/manifest', 'src/pack', 'src/plan', 'src/restore'],
  ...['src/snapshot', 'test/guest', 'test/soak'],
].map((path) => fileURLToPath(new URL(`../../${path}`, import.meta.url)));

export function caseKeys(guest: SoakGuest): readonly CaseKey[] {
  return guest.moments.flatMap(({ part }, moment): CaseKey[] =>
    part === undefined ? [`${moment}-all`] : [`${moment}-all`, `${moment}-part`],
  );
}

/** What was found when the same sources met the same guest, or undefined. */
export function readResult(guest: SoakGuest, key: CaseKey): CaseResult | undefined {
  const path = resultPath(guest, key);
  if (!existsSync(path)) return undefined;
  const kept = JSON.parse(readFileSync(path, 'utf8')) as { of: string; result: CaseResult };
  return kept.of === identityOf(guest) ? kept.result : undefined;
}

export function writeResult(guest: SoakGuest, key: CaseKey, result: CaseResult): void {
  const path = resultPath(guest, key);
  mkdirSync(soakFolder, { recursive: true });
  writeFileSync(`${path}.unfinished`, JSON.stringify({ of: identityOf(guest), result }, null, 2));
  renameSync(`${path}.unfinished`, path);
}

function resultPath(guest: SoakGuest, key: CaseKey): string {
  return join(soakFolder, `${guestName(guest)}-${key}.json`);
}

const sourcesHash = createHash('sha256');
for (const folder of sourceFolders) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names.filter((path) => /(?<!\.test)\.(?:ts|sh|c)$/.test(path))) {
    sourcesHash.update(name).update(readFileSync(join(folder, name)));
  }
}
const sources = sourcesHash.digest('hex');

function identityOf(guest: SoakGuest): string {
  const options = guestOptionsOf(guest);
  return createHash('sha256')
    .update(sources)
    .update(JSON.stringify([options, guest.moments]))
    .update(findKernelPackage(options.kernelRelease, options.kernelFlavour).release)
    .digest('hex')
    .slice(0, 16);
}
