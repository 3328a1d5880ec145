// Shows that a restored file is the original, byte for byte, by a hash of each.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DemoFailure } from './demo-failure.js';
import type { Narrator } from './narrator.js';

const chunkSizeBytes = 1 << 20;

/** Prints both hashes the way sha256sum does; paths are relative to `folder`. Throws when they differ. */
export async function showSameFile(
  narrator: Narrator,
  folder: string,
  originalPath: string,
  restoredPath: string,
): Promise<void> {
  const original = await sha256(join(folder, originalPath));
  const restored = await sha256(join(folder, restoredPath));
  narrator.say(`${original}  ${originalPath}\n${restored}  ${restoredPath}`);
  if (original !== restored) {
    throw new DemoFailure(`${restoredPath} is not ${originalPath}: their hashes differ`);
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: chunkSizeBytes }), hash);
  return hash.digest('hex');
}
