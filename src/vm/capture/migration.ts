// QEMU's migrations, as captures use them: the settings they need, and their end. (QEMU qapi/migration.json)
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import { askQmp } from '../qmp/ask-qmp.js';
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
/** Slower than any limit that makes sense, and than any disk: the end of a migration is waited for as long as it goes on. */
const leastStepBytes = 2 ** 16;
const stepTimeoutMs = 600_000;
/** What is under way goes to the disk of the guard first. */
export const streamEndTimeoutMs = 600_000;

const migrationSchema = z.object({
  /** `MigrationStatus`; absent before the first migration. */
  status: z.string().optional(),
  'error-desc': z.string().optional(),
  ram: z.object({ transferred: z.int().min(0) }).optional(),
});
export type Migration = z.infer<typeof migrationSchema>;

export async function queryMigration(qmp: QmpClient): Promise<Migration> {
  return await askQmp(qmp, 'query-migrate', migrationSchema);
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

/** Whether a migration goes on, for who asks again and again how far it is. */
export class MigrationProgress {
  readonly #timeoutMs: number;
  #stepBytes = 0;
  #stepMs = performance.now();

  constructor(timeoutMs = stepTimeoutMs) {
    this.#timeoutMs = timeoutMs;
  }

  /** Throws `unavailable` when QEMU gets no further. */
  note({ ram }: Migration): void {
    const transferred = ram?.transferred ?? 0;
    if (transferred >= this.#stepBytes + leastStepBytes) {
      this.#stepBytes = transferred;
      this.#stepMs = performance.now();
    } else if (performance.now() - this.#stepMs > this.#timeoutMs) {
      throw new ParsError(
        'unavailable',
        `QEMU saved less than ${leastStepBytes} bytes of the VM in ${this.#timeoutMs / 1000} s`,
      );
    }
  }
}

/** Throws the signal's reason, and `unavailable` when QEMU gets no further. */
export async function untilEnded(
  qmp: QmpClient,
  signal?: AbortSignal,
  timeoutMs = stepTimeoutMs,
): Promise<Migration> {
  const progress = new MigrationProgress(timeoutMs);
  for (;;) {
    signal?.throwIfAborted();
    const migration = await queryMigration(qmp);
    if (hasEnded(migration)) {
      return migration;
    }
    progress.note(migration);
    await sleep(pollIntervalMs);
  }
}

/** QEMU closes its end as the last of a migration. */
export function streamStaysOpen(): ParsError {
  return new ParsError(
    'unavailable',
    `QEMU has ended the migration, and did not close its stream within ${streamEndTimeoutMs / 1000} s`,
  );
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
