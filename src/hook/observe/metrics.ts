// What monitoring wants to know of the hook: when each VM was last stored, what failed, and what waits. The figures of
// VMs outlive a run in the spool's `state/metrics.json`; the text file is written whole, and replaced in one step.
import { closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../flow/message-of.js';
import { diskError } from '../../host/disk-error.js';
import { replaceFile } from '../../host/durable-file.js';
import { openGivenFolder } from '../../host/given-file.js';
import { nameIn } from '../../host/walk-path.js';
import { listEntries } from '../../spool/entries.js';
import { isAbsent } from '../../spool/is-absent.js';
import { withSpoolLock } from '../../spool/lock.js';
import type { Spool } from '../../spool/spool.js';
import type { HookLog } from './log.js';
import { type MetricFamily, metricsText } from './metrics-text.js';

const vmFigures = z.object({
  lastSuccessMs: z.number().optional(),
  lastUploadBytes: z.number().optional(),
  lastSavingRatio: z.number().optional(),
  lastUploadDurationMs: z.number().optional(),
  failedCount: z.int().min(0).default(0),
  droppedCount: z.int().min(0).default(0),
});
const figuresSchema = z.record(z.string(), vmFigures);

export type VmFigures = Readonly<z.infer<typeof vmFigures>>;
export type Figures = Readonly<Record<string, VmFigures>>;

export interface SpoolFigures {
  readonly entryCount: number;
  readonly sizeBytes: number;
  readonly oldestAgeMs: number;
}

/** The text file is for everybody who may read it, such as node_exporter under a user of its own. */
const publicMode = 0o644;
const textfileUse = {
  what: 'the folder of metrics',
  remedy: 'name another file in metrics.textfile',
};

export class HookMetrics {
  readonly #spool: Spool;
  readonly #textfilePath: string | undefined;
  readonly #log: HookLog;

  constructor(spool: Spool, textfilePath: string | undefined, log: HookLog) {
    this.#spool = spool;
    this.#textfilePath = textfilePath;
    this.#log = log;
  }

  async stored(
    vm: string,
    facts: {
      readonly sizeBytes: number | undefined;
      readonly savingRatio: number | undefined;
      readonly durationMs: number | undefined;
    },
  ): Promise<void> {
    await this.#change(vm, (before) => ({
      ...before,
      lastSuccessMs: Date.now(),
      lastUploadBytes: facts.sizeBytes,
      lastSavingRatio: facts.savingRatio,
      lastUploadDurationMs: facts.durationMs,
    }));
  }

  async failed(vm: string): Promise<void> {
    await this.#change(vm, (before) => ({ ...before, failedCount: before.failedCount + 1 }));
  }

  async dropped(vm: string): Promise<void> {
    await this.#change(vm, (before) => ({ ...before, droppedCount: before.droppedCount + 1 }));
  }

  /** Does nothing when no text file is configured. What cannot be written is logged: no snapshot fails by it. */
  async write(): Promise<void> {
    const path = this.#textfilePath;
    if (path === undefined) {
      return;
    }
    try {
      await withSpoolLock(this.#spool.paths.root, async () => {
        const { entries } = await listEntries(this.#spool);
        const nowMs = Date.now();
        const text = metricsText(
          metricFamilies(await this.#read(), {
            entryCount: entries.length,
            sizeBytes: entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
            oldestAgeMs: entries.length === 0 ? 0 : Math.max(0, nowMs - entries[0].createdMs),
          }),
        );
        // Its collector may be another user, as Debian's is. In the open folder no link leads elsewhere.
        const folderFd = openGivenFolder(dirname(path), textfileUse);
        try {
          await replaceFile(nameIn(folderFd, basename(path)), text, { mode: publicMode });
        } finally {
          closeSync(folderFd);
        }
      });
    } catch (error) {
      this.#log.error('the metrics cannot be written', { path, error: messageOf(error) });
    }
  }

  async #change(vm: string, change: (before: VmFigures) => VmFigures): Promise<void> {
    try {
      await withSpoolLock(this.#spool.paths.root, async () => {
        const figures = await this.#read();
        const before = Object.hasOwn(figures, vm) ? figures[vm] : vmFigures.parse({});
        const after: Figures = { ...figures, [vm]: change(before) };
        await replaceFile(this.#statePath, `${JSON.stringify(after)}\n`);
      });
    } catch (error) {
      this.#log.error('the metrics cannot be kept', { vm, error: messageOf(error) });
    }
  }

  async #read(): Promise<Figures> {
    const text = await readFile(this.#statePath, 'utf8').catch((error: unknown) => {
      if (isAbsent(error)) {
        return '{}';
      }
      throw diskError(error, `cannot read ${this.#statePath}`);
    });
    try {
      return figuresSchema.parse(JSON.parse(text));
    } catch {
      this.#log.warn('the figures of before cannot be read, counters begin anew', {
        path: this.#statePath,
      });
      return {};
    }
  }

  get #statePath(): string {
    return join(this.#spool.paths.state, 'metrics.json');
  }
}

/** Pure: what the text file says. */
export function metricFamilies(figures: Figures, spool: SpoolFigures): readonly MetricFamily[] {
  const perVm = (
    kind: MetricFamily['kind'],
    name: string,
    help: string,
    valueOf: (vm: VmFigures) => number | undefined,
  ): MetricFamily => ({
    name,
    help,
    kind,
    samples: Object.entries(figures).flatMap(([vm, entry]) => {
      const value = valueOf(entry);
      return value === undefined ? [] : [{ vm, value }];
    }),
  });
  const ofSpool = (name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    kind: 'gauge',
    samples: [{ value }],
  });
  const seconds = (durationMs: number | undefined): number | undefined =>
    durationMs === undefined ? undefined : durationMs / 1000;
  return [
    perVm(
      'gauge',
      'pars_last_success_timestamp_seconds',
      'When a snapshot of the VM was last stored.',
      ({ lastSuccessMs }) => seconds(lastSuccessMs),
    ),
    perVm(
      'gauge',
      'pars_last_upload_bytes',
      'Bytes on disks, all copies, of the snapshot stored last.',
      ({ lastUploadBytes }) => lastUploadBytes,
    ),
    perVm(
      'gauge',
      'pars_last_saving_ratio',
      'Share of three copies of everything that labels saved, 0 to 1, of the snapshot stored last.',
      ({ lastSavingRatio }) => lastSavingRatio,
    ),
    perVm(
      'gauge',
      'pars_last_upload_duration_seconds',
      'How long sending the snapshot stored last took.',
      ({ lastUploadDurationMs }) => seconds(lastUploadDurationMs),
    ),
    perVm(
      'counter',
      'pars_uploads_failed_total',
      'Attempts to store a snapshot that did not succeed.',
      ({ failedCount }) => failedCount,
    ),
    ofSpool('pars_spool_entries', 'Snapshots that wait in the spool.', spool.entryCount),
    ofSpool('pars_spool_bytes', 'Bytes that the spool takes of its disk.', spool.sizeBytes),
    ofSpool(
      'pars_spool_oldest_age_seconds',
      'Age of the oldest snapshot in the spool, 0 when it is empty.',
      spool.oldestAgeMs / 1000,
    ),
    perVm(
      'counter',
      'pars_spool_dropped_total',
      'Snapshots dropped unsent, for a newer one of the same VM.',
      ({ droppedCount }) => droppedCount,
    ),
  ];
}
