// Nothing leaves the spool unsent without a word: a warning in the log, and a count in the metrics.
import type { DroppedEntry } from '../spool/make-room.js';
import { formatDuration } from '../units/duration.js';
import type { HookContext } from './hook-context.js';

export async function reportDropped(
  { log, metrics, config }: HookContext,
  dropped: readonly DroppedEntry[],
): Promise<void> {
  for (const { entry, reason } of dropped) {
    const { maxAgeMs = 0, maxSizeBytes = 0 } = config.spool;
    const limit =
      reason === 'age'
        ? `older than spool.maxAge, ${formatDuration(maxAgeMs)}`
        : `the spool was over spool.maxSize, ${maxSizeBytes} bytes`;
    log.warn(`a snapshot was dropped unsent: ${limit}, and a newer one of the VM waits`, {
      vm: entry.vm,
      entry: entry.name,
      created: new Date(entry.createdMs).toISOString(),
      sizeBytes: entry.sizeBytes,
      attemptCount: entry.attempts.count,
    });
    await metrics.dropped(entry.vm);
  }
}
