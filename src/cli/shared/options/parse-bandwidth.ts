// Bandwidth as `--bandwidth` takes it: `50M`, `1.5G`, `800K` or plain bytes, each per second; K, M and G are binary.
import { ParsError } from '../../../../introspect/pars-error.js';
import { parseSize } from '../../../vm/qemu/size.js';

/** The packs that are sent at once must be there within a day, or `pars prune` would take their upload for a dead one. */
const minBytesPerSecond = 8 * 1024;

/** In bytes per second. Throws `usage`. */
export function parseBandwidth(text: string): number {
  const bytesPerSecond = parseSize(text);
  if (
    bytesPerSecond === undefined ||
    !Number.isSafeInteger(bytesPerSecond) ||
    bytesPerSecond < minBytesPerSecond
  ) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(text)} is no bandwidth: expected bytes per second such as 50M, 1.5G or 800K, at least 8K`,
    );
  }
  return bytesPerSecond;
}
