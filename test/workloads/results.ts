// What was found in each guest, kept in the user's cache as it comes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findKernelPackage } from '../guest/kernel-package.js';
import { hashOfSources, identityOf, keep, readKept } from '../kept-results.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import type { Moment } from './moments/observe-moments.js';
import { userlandVersion } from './userland/image.js';
import { caseName, type WorkloadCase } from './workloads.js';

export interface CaseResult {
  /** `uname -r`. */
  readonly release: string;
  readonly moments: readonly Moment[];
  readonly seconds: number;
}

const sources = hashOfSources([
  ...['introspect', 'src/disk', 'src/measure', 'src/pack', 'src/plan'],
  ...['test/guest', 'test/workloads/moments'],
]);

/** What was found when the same sources met the same guest, or undefined. */
export function readResult(entry: WorkloadCase): CaseResult | undefined {
  return readKept(resultPath(entry), identityOfCase(entry)) as CaseResult | undefined;
}

export function writeResult(entry: WorkloadCase, result: CaseResult): void {
  keep(resultPath(entry), identityOfCase(entry), result);
}

function resultPath(entry: WorkloadCase): string {
  return join(cacheFolder(), 'workloads', `${caseName(entry)}.json`);
}

function identityOfCase({ workload, series, flavour }: WorkloadCase): string {
  const { release } = findKernelPackage(series, flavour);
  const scripts = ['agent', 'tell', workload.name].map((name) =>
    readFileSync(join(import.meta.dirname, 'scripts', `${name}.sh`), 'utf8'),
  );
  return identityOf([sources, userlandVersion(), release, workload, scripts]);
}
