// The figures of each case, kept in the user's cache as they come, so that a long run can be interrupted. They are
// good for as long as nothing has changed that they follow from.
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
import { caseName, guestOptionsOf, type MatrixCase } from './cases.js';
import type { Figures } from './figures.js';

export interface CaseResult {
  /** `uname -r`. */
  readonly release: string;
  readonly figures: Figures;
  /** From the first copy alone, where a second had to be asked. */
  readonly firstFigures?: Figures | undefined;
  readonly shortcomings: readonly string[];
  readonly seconds: number;
}

const sourceFolders = ['../../introspect', '../guest', '.'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** What was found when the same sources met the same guest, or undefined. */
export function readResult(entry: MatrixCase): CaseResult | undefined {
  const path = resultPath(entry);
  if (!existsSync(path)) return undefined;
  const kept = JSON.parse(readFileSync(path, 'utf8')) as { of: string; result: CaseResult };
  return kept.of === identityOf(entry) ? kept.result : undefined;
}

export function writeResult(entry: MatrixCase, result: CaseResult): void {
  const path = resultPath(entry);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(`${path}.unfinished`, JSON.stringify({ of: identityOf(entry), result }, null, 2));
  renameSync(`${path}.unfinished`, path);
}

function resultPath(entry: MatrixCase): string {
  return join(cacheFolder(), 'matrix', `${caseName(entry)}.json`);
}

function identityOf(entry: MatrixCase): string {
  const options = guestOptionsOf(entry);
  const hash = createHash('sha256')
    .update(JSON.stringify(options))
    .update(findKernelPackage(options.kernelRelease, options.kernelFlavour).release);
  for (const folder of sourceFolders) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    for (const name of names.filter((path) => /(?<!\.test)\.(?:ts|sh|c)$/.test(path))) {
      hash.update(name).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
