// What processes that died have left in the spool, and in the VMs that they were capturing, put away and told.
import { messageOf } from '../flow/message-of.js';
import { cleanLeftovers } from '../spool/leftovers.js';
import type { HookContext } from './hook-context.js';

export async function cleanSpool({
  spool,
  log,
  cleanUpCapture,
}: Pick<HookContext, 'spool' | 'log' | 'cleanUpCapture'>): Promise<void> {
  const { removed, strange, kept } = await cleanLeftovers(spool, cleanUpCapture);
  for (const folder of removed) {
    log.warn('removed what a process that died has left on its way into the spool', { folder });
  }
  for (const folder of strange) {
    log.warn('there is something in the spool that is not of it; it stays', { folder });
  }
  for (const { folder, error } of kept) {
    log.error('cannot clean up after a capture that died', {
      folder,
      error: messageOf(error),
    });
  }
}
