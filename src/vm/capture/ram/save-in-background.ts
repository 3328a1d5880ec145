// A VM is saved while it runs: QEMU write-protects its RAM and saves a page before the VM changes it, and the disks do the
// same by clusters.
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { QmpClient } from '../../qmp/qmp-client.js';
import { startNbdServer } from '../disks/nbd-server.js';
import { copyDisks, prepareFilters, renewFilters } from '../disks/save-disks.js';
import type { GuardedStream } from '../guard/capture-guard.js';
import {
  applySettings,
  hasEnded,
  MigrationProgress,
  queryMigration,
  streamEndTimeoutMs,
  streamStaysOpen,
  untilCompleted,
  untilEnded,
} from '../migration.js';
import { type Moment, takeMoment } from '../take-moment.js';
import { joinHugePages } from './huge-pages.js';
import type { SavedVm, SaveRequest } from './save-request.js';

const progressIntervalMs = 250;
const askIntervalMs = 2000;

export async function saveInBackground(request: SaveRequest): Promise<SavedVm> {
  const { qmp, facts, disks, folder, setPhase, signal } = request;
  if (disks.length > 0) {
    await startNbdServer(qmp, folder);
    await prepareFilters(qmp, disks, folder);
  }
  await applySettings(qmp, facts, request.way, request.bandwidthBytesPerSecond);
  signal.throwIfAborted();
  await setPhase('stopping');
  const { moment, stoodMs, stream, imagePath } = await begin(request);
  await setPhase('running');
  const stopShowing = showProgress(request, imagePath);
  const saved = new AbortController();
  let isReceived = false;
  const receive = async (): Promise<void> => {
    await stream.received;
    isReceived = true;
    await untilCompleted(qmp, signal);
  };
  try {
    const saving = Promise.all([copyDisks(request), receive()]);
    const [captured] = await Promise.race([
      saving,
      whenAborted(signal),
      whenStuck(qmp, () => isReceived, AbortSignal.any([signal, saved.signal])),
    ]);
    return {
      imagePath,
      format: 'migration',
      statePath: undefined,
      disks: captured,
      atMs: moment.atMs,
      downtimeMs: stoodMs,
    };
  } finally {
    saved.abort();
    stopShowing();
  }
}

/**
 * Never resolves. Asks QEMU how far it is: one that hangs keeps the stream open without ever ending it, as QEMU before 8.1
 * may when it is told to quit meanwhile, and one may answer and get no further.
 */
async function whenStuck(
  qmp: QmpClient,
  isReceived: () => boolean,
  signal: AbortSignal,
): Promise<never> {
  const progress = new MigrationProgress();
  let endedMs: number | undefined;
  while (!signal.aborted) {
    const migration = await queryMigration(qmp);
    if (!hasEnded(migration)) {
      progress.note(migration);
    } else if (!isReceived()) {
      endedMs ??= performance.now();
      if (performance.now() - endedMs > streamEndTimeoutMs) {
        throw streamStaysOpen();
      }
    }
    await sleep(askIntervalMs, undefined, { signal }).catch(() => undefined);
  }
  return await new Promise<never>(() => undefined);
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      stop();
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}

interface Begun {
  readonly moment: Moment;
  /** How long the VM stood still, in milliseconds, in moments that came too late as well. */
  readonly stoodMs: number;
  readonly stream: GuardedStream;
  readonly imagePath: string;
}

/** With disks the VM is stopped late if that may do, which shows afterwards; else first. */
async function begin(request: SaveRequest): Promise<Begun> {
  const { qmp, pid, guard, disks, facts, folder } = request;
  const imagePath = join(folder, 'ram.stream');
  let stoodMs = 0;
  const inSmallPages = pid === undefined ? undefined : await joinHugePages(pid, request.signal);
  const late = disks.length === 0 ? undefined : lateStopMs(facts.ramSizeBytes, inSmallPages);
  for (const stopAfterMs of late === undefined ? [undefined] : [late, undefined]) {
    const stream = await guard.receive(imagePath);
    const moment = await takeMoment({ ...request, uri: stream.uri, stopAfterMs });
    stoodMs += (moment.resumedMicroseconds - moment.stoppedMicroseconds) / 1000;
    if (moment.isOne) {
      return { moment, stoodMs, stream, imagePath };
    }
    // Not cancelled: see receive-stream.ts.
    await untilEnded(qmp, request.signal);
    await stream.received;
    await renewFilters(qmp, disks, folder);
    await rm(imagePath);
  }
  throw new ParsError(
    'unavailable',
    'the disks and the RAM could not be caught at one moment; the snapshot was given up',
  );
}

/** QEMU touches every page before it stops the VM itself (bench/live-downtime). */
const touchedSmallBytesPerMs = 42 * 2 ** 20;
const touchedHugeBytesPerMs = 230 * 2 ** 20;
/** Well before the end, on a host that is faster too: what comes too late has to be done again. */
const lateFraction = 0.4;
/** Stopping and the filters take a few milliseconds, which must be well within the touching. */
const minTouchMs = 10;

/** When to stop a VM that QEMU has begun to save; undefined: before it begins, as when nobody knows how its RAM is held. */
export function lateStopMs(
  ramSizeBytes: number,
  inSmallPagesBytes: number | undefined,
): number | undefined {
  if (inSmallPagesBytes === undefined) {
    return undefined;
  }
  const touchMs =
    inSmallPagesBytes / touchedSmallBytesPerMs +
    (ramSizeBytes - inSmallPagesBytes) / touchedHugeBytesPerMs;
  return touchMs < minTouchMs ? undefined : Math.floor(touchMs * lateFraction);
}

/** The guard writes the file, so how far it is, is seen there. */
function showProgress({ facts, onProgress }: SaveRequest, imagePath: string): () => void {
  const timer = setInterval(() => {
    void stat(imagePath).then(
      ({ size }) => {
        onProgress?.({
          phase: 'saving RAM',
          doneBytes: Math.min(size, facts.ramSizeBytes),
          totalBytes: facts.ramSizeBytes,
        });
      },
      () => undefined,
    );
  }, progressIntervalMs);
  return () => {
    clearInterval(timer);
  };
}
