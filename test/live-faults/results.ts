// What became of each case.
import { join } from 'node:path';
import { hashOfSources, identityOf, keep, readKept } from '../kept-results.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import type { FaultOutcome } from './fault-case.js';
import type { FaultKind } from './kinds.js';

export interface CaseResult extends FaultOutcome {
  readonly seconds: number;
}

const identity = identityOf([
  hashOfSources(['src/flow', 'src/hook', 'src/spool', 'src/vm', 'test/live-faults']),
]);

/** What was found with the same sources, or undefined. */
export function readResult(kind: FaultKind, index: number): CaseResult | undefined {
  return readKept(resultPath(kind, index), identity) as CaseResult | undefined;
}

export function writeResult(kind: FaultKind, index: number, result: CaseResult): void {
  keep(resultPath(kind, index), identity, result);
}

function resultPath(kind: FaultKind, index: number): string {
  return join(cacheFolder(), 'live-faults', `${kind.replaceAll(' ', '-')}-${index}.json`);
}
