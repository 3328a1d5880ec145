// What became of each batch of cases, kept so that a run that was stopped goes on.
import { join } from 'node:path';
import { hashOfSources, identityOf, keep, readKept, readKeptOfAny } from '../kept-results.js';
import { cacheFolder } from '../setup/cache-folder.mjs';
import { type Verdict, wrongVerdicts } from './judge.js';
import type { CaseOutcome } from './run-case.js';

/** Cases that are done together and kept together. */
export const batchSize = 100;
/** How many wrong cases of a batch and kind are kept in full. */
const keptWrongCount = 5;

export interface BatchResult {
  /** Kind of forgery, verdict, cases. */
  readonly counts: readonly (readonly [kind: string, verdict: Verdict, count: number])[];
  readonly wrong: readonly CaseOutcome[];
  /** Whether the sources have changed since. */
  readonly isEarlier?: boolean;
}

const identity = identityOf([hashOfSources(['introspect', 'test/forged'])]);

export function summaryOf(outcomes: readonly CaseOutcome[]): BatchResult {
  const counts = new Map<string, { kind: string; verdict: Verdict; count: number }>();
  const wrong: CaseOutcome[] = [];
  for (const outcome of outcomes) {
    const { kind, verdict } = outcome;
    const key = `${kind} ${verdict}`;
    const count = (counts.get(key)?.count ?? 0) + 1;
    counts.set(key, { kind, verdict, count });
    if (wrongVerdicts.includes(verdict) && count <= keptWrongCount) {
      wrong.push({
        ...outcome,
        detail: outcome.detail.slice(0, 400),
        recipe: outcome.recipe.slice(0, 600),
      });
    }
  }
  return {
    counts: [...counts.values()].map(({ kind, verdict, count }) => [kind, verdict, count] as const),
    wrong,
  };
}

export function readBatch(seed: number, batch: number): BatchResult | undefined {
  return readKept(pathOf(seed, batch), identity) as BatchResult | undefined;
}

/** What is kept of a batch, even if it was run before the sources changed, unless a case of it came out wrong then. */
export function readEarlierBatch(seed: number, batch: number): BatchResult | undefined {
  const kept = readKeptOfAny(pathOf(seed, batch));
  const result = kept?.result as BatchResult | undefined;
  return result?.wrong.length === 0 ? { ...result, isEarlier: kept?.of !== identity } : undefined;
}

export function writeBatch(seed: number, batch: number, result: BatchResult): void {
  keep(pathOf(seed, batch), identity, result);
}

function pathOf(seed: number, batch: number): string {
  return join(cacheFolder(), 'forged', `seed-${seed}`, `batch-${batch}.json`);
}
