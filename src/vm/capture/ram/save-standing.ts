// A VM is saved while it stands still: for those whose QEMU cannot track writes. RAM, device state and disks, one after the
// other; the disks are files that QEMU has let go of by then.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import type { QmpClient, QmpEvent } from '../../qmp/qmp-client.js';
import { copySparse } from '../disks/copy-sparse.js';
import { copyStandingDisks } from '../disks/save-disks.js';
import {
  applySettings,
  streamEndTimeoutMs,
  streamStaysOpen,
  untilCompleted,
} from '../migration.js';
import type { SavedVm, SaveRequest } from './save-request.js';

const resumeTimeoutMs = 10_000;

export async function saveStanding(request: SaveRequest): Promise<SavedVm> {
  const { qmp, facts, way, maxDowntimeMs, signal, setPhase } = request;
  await applySettings(qmp, facts, way, request.bandwidthBytesPerSecond);
  const limit =
    maxDowntimeMs === undefined
      ? signal
      : AbortSignal.any([signal, AbortSignal.timeout(maxDowntimeMs)]);
  signal.throwIfAborted();
  await setPhase('stopping');
  const stopped = nextEvent(qmp, 'STOP');
  try {
    const saved = await save({ ...request, signal: limit });
    const resumed = nextEvent(qmp, 'RESUME');
    await qmp.execute('cont');
    const [{ atMicroseconds: from }, { atMicroseconds: to }] = await Promise.all([
      stopped,
      resumed,
    ]);
    await setPhase('running');
    return { ...saved, atMs: Math.round(from / 1000), downtimeMs: (to - from) / 1000 };
  } catch (error) {
    if (limit.aborted && !signal.aborted) {
      throw new ParsError(
        'unavailable',
        `the VM stood still for more than ${maxDowntimeMs ?? 0} ms, so the snapshot was given up`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function save(request: SaveRequest): Promise<Omit<SavedVm, 'atMs' | 'downtimeMs'>> {
  const { qmp, guard, way, facts, folder, signal } = request;
  const isShared = way === 'shared-ram';
  const imagePath = join(folder, isShared ? 'ram' : 'ram.stream');
  const statePath = isShared ? join(folder, 'state') : undefined;
  const stream = way === 'mapped-ram' ? undefined : await guard.receive(statePath ?? imagePath);
  const answers = qmp.send([
    { execute: 'stop' },
    { execute: 'migrate', arguments: { uri: stream?.uri ?? `file:${imagePath}` } },
  ]);
  await Promise.all(answers);
  const completed = untilCompleted(qmp, signal);
  await Promise.all([untilReceived(stream?.received, completed), completed]);
  if (isShared && 'path' in facts.sharedRam) {
    await copySparse(facts.sharedRam.path, imagePath, signal);
  }
  const disks = await copyStandingDisks(request);
  return { imagePath, format: isShared ? 'raw' : 'migration', statePath, disks };
}

async function untilReceived(
  received: Promise<void> | undefined,
  completed: Promise<void>,
): Promise<void> {
  const tooLate = completed.then(async () => {
    await sleep(streamEndTimeoutMs, undefined, { ref: false });
    throw streamStaysOpen();
  });
  tooLate.catch(() => undefined);
  await Promise.race([received, tooLate]);
}

function nextEvent(qmp: QmpClient, name: string): Promise<QmpEvent> {
  const event = new Promise<QmpEvent>((resolve, reject) => {
    const stopListening = qmp.onEvent((heard) => {
      if (heard.name === name) {
        stopListening();
        resolve(heard);
      }
    });
    // Its own time begins with what causes it; a VM that stands still for an hour is told by other means.
    if (name === 'RESUME') {
      setTimeout(() => {
        stopListening();
        reject(new ParsError('unavailable', 'QEMU does not say that the VM goes on'));
      }, resumeTimeoutMs).unref();
    }
  });
  event.catch(() => undefined);
  return event;
}
