// The device state of a snapshot into the part of a file, held against its SHA-256.
import { createHash } from 'node:crypto';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import type { Attachment } from '../../manifest/types.js';
import { readSizeBytes } from '../../pages/read-plan.js';
import type { RestoreRequest } from '../restore-request.js';
import { type PartFiles, partOf } from './part-file.js';

/** Throws `corrupt` when it is not what was stored. */
export async function writeState(
  { store, signal }: RestoreRequest,
  { name, sizeBytes, sha256 }: Attachment,
  path: string,
  parts: PartFiles,
): Promise<void> {
  const hash = createHash('sha256');
  const file = await parts.create(path);
  try {
    for (let at = 0; at < sizeBytes; at += readSizeBytes) {
      const length = Math.min(readSizeBytes, sizeBytes - at);
      const bytes = await store.read(name, at, length, { signal });
      hash.update(bytes);
      await file.writeFile(bytes).catch((error: unknown) => {
        throw diskError(error, `cannot write ${partOf(path)}`);
      });
    }
  } finally {
    await file.close();
  }
  if (!hash.digest().equals(sha256)) {
    throw new ParsError(
      'corrupt',
      `the device state ${name} does not have the SHA-256 that the manifest states`,
    );
  }
}
