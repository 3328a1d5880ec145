// The machine's command line that was stored with a snapshot: a small file, read whole.
import { createHash } from 'node:crypto';
import { ParsError } from '../../introspect/pars-error.js';
import type { ManifestHeader } from '../manifest/types.js';
import type { Store } from '../store/store.js';
import { maxMachineBytes } from '../vm/qemu/qemu-command.js';

/** Undefined when the snapshot has none. Throws `corrupt` when it is not what was stored. */
export async function readMachine(
  store: Store,
  { attachments }: ManifestHeader,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const entry = attachments.find(({ role }) => role === 'machine');
  if (entry === undefined) {
    return undefined;
  }
  const { name, sizeBytes, sha256 } = entry;
  if (sizeBytes > maxMachineBytes) {
    throw new ParsError(
      'corrupt',
      `the machine's command line ${name} has ${sizeBytes} bytes, expected at most ${maxMachineBytes}`,
    );
  }
  const bytes = await store.read(name, 0, sizeBytes, { signal });
  if (!createHash('sha256').update(bytes).digest().equals(sha256)) {
    throw new ParsError(
      'corrupt',
      `the machine's command line ${name} does not have the SHA-256 that the manifest states`,
    );
  }
  return bytes;
}
