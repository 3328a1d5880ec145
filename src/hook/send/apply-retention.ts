// After a VM's snapshot was stored, those that the configured rule no longer keeps go from the store: `pars forget` as a
// process of its own.
import type { RetentionRule } from '../config.js';
import type { HookContext } from '../hook-context.js';
import { describeEnd, runProgram } from '../run-program.js';

const options: Readonly<Record<keyof RetentionRule, string>> = {
  keepLast: '--keep-last',
  keepHourly: '--keep-hourly',
  keepDaily: '--keep-daily',
  keepWeekly: '--keep-weekly',
  keepMonthly: '--keep-monthly',
};

/** The exit code of the first that failed; undefined when none did, or no rule is configured. */
export async function applyRetention(
  { config, pars, signal, log }: HookContext,
  vms: readonly string[],
): Promise<number | undefined> {
  const rule = config.retention;
  let failure: number | undefined;
  for (const vm of rule === undefined || signal.aborted ? [] : vms) {
    const end = await runProgram({
      command: [
        ...pars,
        'forget',
        '--name',
        vm,
        ...(rule === undefined ? [] : ruleArguments(rule)),
      ],
      timeoutMs: config.upload.timeoutMs,
      signal,
      environment: { PARS_STORE: config.store },
    });
    if (end.exitCode === 0) {
      log.info('old snapshots were removed by the retention rule', { vm });
    } else {
      log.error('old snapshots could not be removed by the retention rule', {
        vm,
        error: describeEnd(end),
      });
      // A signal's end has no exit code of its own.
      failure ??= end.exitCode ?? 1;
    }
  }
  return failure;
}

export function ruleArguments(rule: RetentionRule): readonly string[] {
  return Object.entries(options).flatMap(([key, option]) => {
    const count = rule[key as keyof RetentionRule];
    return count === undefined ? [] : [option, `${count}`];
  });
}
