// A file on its way to HDFS: the name that it has until it is whole, and when it is worth being sent once more.

import { randomBytes } from 'node:crypto';
import { ParsError } from '../../../introspect/pars-error.js';
import type { Content } from '../threads/content.js';

/** What an upload of one file may have taken when another attempt begins: its own time, and those of hanging nodes. */
export const writeRetryMaxMs = 900_000;

/** The upload's name must fit into dfs.namenode.fs-limits.max-component-length, 255 bytes. */
const keptNameBytes = 200;
/** Beside the final name, so that quotas and encryption zones are the same. */
export function uploadPathOf(path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const suffix = randomBytes(6).toString('hex');
  return `${path.slice(0, slash)}${path.slice(slash, slash + keptNameBytes)}._uploading_.${suffix}`;
}

/** What the network broke, HDFS lost, or HDFS mangled; not what would fail the same way again. */
export function isWorthAnotherUpload(error: unknown): boolean {
  return (
    error instanceof ParsError &&
    (error.code === 'unavailable' || error.code === 'data-lost' || error.code === 'corrupt')
  );
}

/**
 * Tells the content's failures, which are the caller's own and never retried, from those of the store. When it is opened again it
 * begins after it has ended before: whoever makes it may keep account of what was made.
 */
export function watched(content: Content): {
  readonly open: () => AsyncGenerator<Uint8Array>;
  readonly hasFailed: () => boolean;
} {
  let failed = false;
  let ended = Promise.resolve();
  return {
    hasFailed: () => failed,
    open: async function* () {
      const before = ended;
      let end = (): void => undefined;
      ended = new Promise((resolve) => {
        end = resolve;
      });
      await before;
      try {
        const opened = content();
        // Not delegated by yield*: an early end of the consumer must not count as a failure, but must reach the source.
        for await (const bytes of opened) {
          yield bytes;
        }
      } catch (error) {
        failed = true;
        throw error;
      } finally {
        end();
      }
    },
  };
}

/** The chunks of `content`; throws `usage` when they are more than a block takes. `doing` opens its message. */
export async function* withinBlock(
  content: AsyncIterable<Uint8Array>,
  blockSizeBytes: number,
  doing: string,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const bytes of content) {
    sizeBytes += bytes.length;
    if (sizeBytes > blockSizeBytes) {
      throw new ParsError(
        'usage',
        `${doing}: the content is over its block size of ${blockSizeBytes} bytes; ` +
          `a block is the unit of loss, so write less or choose larger blocks`,
      );
    }
    yield bytes;
  }
}
