// What became of each case, kept so that a run that was stopped goes on.
import { join } from 'node:path';
import { hashOfSources, identityOf, keep, readKept } from '../kept-results.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import type { CaseOutcome } from './run-case.js';

const identity = identityOf([
  hashOfSources(['src/store/hdfs', 'src/store/hadoop', 'test/wire-faults']),
]);

/** What was found with the same sources, or undefined. */
export function readResult(seed: number, number: number): CaseOutcome | undefined {
  return readKept(pathOf(seed, number), identity) as CaseOutcome | undefined;
}

export function writeResult(seed: number, number: number, outcome: CaseOutcome): void {
  keep(pathOf(seed, number), identity, outcome);
}

function pathOf(seed: number, number: number): string {
  return join(cacheFolder(), 'wire-faults', `seed-${seed}`, `case-${number}.json`);
}
