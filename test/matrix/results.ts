// The figures of each case of the matrix.
import { join } from 'node:path';
import { findKernelPackage } from '../guest/kernel-package.js';
import { hashOfSources, identityOf, keep, readKept } from '../kept-results.js';
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

const sources = hashOfSources(['introspect', 'test/guest', 'test/matrix']);

/** What was found when the same sources met the same guest, or undefined. */
export function readResult(entry: MatrixCase): CaseResult | undefined {
  return readKept(resultPath(entry), identityOfCase(entry)) as CaseResult | undefined;
}

export function writeResult(entry: MatrixCase, result: CaseResult): void {
  keep(resultPath(entry), identityOfCase(entry), result);
}

function resultPath(entry: MatrixCase): string {
  return join(cacheFolder(), 'matrix', `${caseName(entry)}.json`);
}

function identityOfCase(entry: MatrixCase): string {
  const options = guestOptionsOf(entry);
  const { release } = findKernelPackage(options.kernelRelease, options.kernelFlavour);
  return identityOf([sources, options, release]);
}
