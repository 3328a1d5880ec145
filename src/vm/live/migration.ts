// QEMU's migrations, as captures use them: the settings they need, and their end. (QEMU qapi/migration.json)
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import type { QmpClient } from '../qmp/qmp-client.js';
import type { CaptureWay } from './plan-capture.js';
import type { VmFacts } from './vm-facts.js';

/** What is changed of QEMU's settings; put-right.ts puts it back. */
export const changedCapabilities: readonly string[] = [
  ...['background-snapshot', 'mapped-ram', 'x-ignore-shared'],
];
export const changedParameter = 'max-bandwidth';

/** QEMU's own default is 128 MiB/s, which is meant for networks. */
export const unlimitedBytesPerSecond = 2 ** 40;

const capabilityOf: Readonly<Record<CaptureWay, string | undefined>> = {
  'background-snapshot': 'background-snapshot',
  'mapped-ram': 'mapped-ram',
  'shared-ram': 'x-ignore-shared',
  stream: undefined,
};

const pollIntervalMs = 20;

const migrationSchema = z.object({
  /** `MigrationStatus`; absent before the first migration. */
  status: z.string().optional(),
  'error-desc': z.string().optional(),
  ram: z.object({ transferred: z.number() }).optional(),
});
export type Migration = z.infer<typeof migrationSchema>;

export async function queryMigration(qmp: QmpClient): Promise<Migration> {
  return migrationSchema.parse(await qmp.execute('query-migrate'));
}

export function hasEnded({ status = 'none' }: Migration): boolean {
  return ['none', 'completed', 'failed', 'cancelled'].includes(status);
}

export async function applySettings(
  qmp: QmpClient,
  facts: VmFacts,
  way: CaptureWay,
  bandwidthBytesPerSecond: number = unlimitedBytesPerSecond,
): Promise<void> {
  const wanted = capabilityOf[way];
  const off = Object.entries(facts.settings.capabilities)
    .filter(([name, isOn]) => isOn && name !== wanted)
    .map(([capability]) => ({ capability, state: false }));
  const on = wanted === undefined ? [] : [{ capability: wanted, state: true }];
  if (off.length + on.length > 0) {
    await qmp.execute('migrate-set-capabilities', { capabilities: [...off, ...on] });
  }
  await qmp.execute('migrate-set-parameters', { [changedParameter]: bandwidthBytesPerSecond });
}

/** Throws the signal's reason. */
export async function untilEnded(qmp: QmpClient, signal?: AbortSignal): Promise<Migration> {
  for (;;) {
    signal?.throwIfAborted();
    const migration = await queryMigration(qmp);
    if (hasEnded(migration)) {
      return migration;
    }
    await sleep(pollIntervalMs);
  }
}

/** Throws `unavailable` when QEMU gave it up. */
export async function untilCompleted(qmp: QmpClient, signal: AbortSignal): Promise<void> {
  const migration = await untilEnded(qmp, signal);
  if (migration.status !== 'completed') {
    throw gaveUp(migration);
  }
}

export function gaveUp({ status, 'error-desc': reason }: Migration): ParsError {
  return new ParsError(
    'unavailable',
    `QEMU gave the snapshot up (${status ?? 'none'}): ${reason ?? 'it gives no reason'}`,
  );
}
