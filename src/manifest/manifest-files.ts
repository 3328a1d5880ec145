// A manifest as the files that it becomes: a body, and then its own, which names the bodies by their hashes. Pure.
import { createHash } from 'node:crypto';
import { ParsError } from '../../introspect/pars-error.js';
import { baseOf } from './body/base.js';
import { mayFollow } from './body/chain.js';
import { deltaOf } from './body/delta.js';
import { encodeBody } from './body/encode.js';
import { findProblem } from './check.js';
import { encodeManifestHeader } from './encode.js';
import type { HashedFile, Manifest } from './types.js';

export interface ManifestFiles {
  /** With its bodies: the one that was made, and those that it follows. */
  readonly manifest: Manifest;
  /** The one that was made. */
  readonly body: Uint8Array;
  /** Written last: what it names is there. */
  readonly file: Uint8Array;
}

/**
 * `bodyName`: of the body that is made. With `before`, a manifest that is stored, it is what changed since, as long as its chain
 * may grow; else it is a base. Throws `usage` for a manifest that could not be read back.
 */
export function manifestFiles(
  unwritten: Manifest,
  bodyName: string,
  before?: Manifest,
): ManifestFiles {
  const problem = findProblem(unwritten);
  if (problem !== undefined) {
    throw new ParsError('usage', `manifest to be written: ${problem}`);
  }
  const { body, follows } = nextBody(unwritten, before);
  const entry = {
    name: bodyName,
    sizeBytes: body.length,
    sha256: createHash('sha256').update(body).digest(),
  };
  const manifest = {
    ...unwritten,
    header: { ...unwritten.header, bodies: [...follows, entry] },
  };
  return { manifest, body, file: encodeManifestHeader(manifest.header) };
}

function nextBody(
  manifest: Manifest,
  before: Manifest | undefined,
): { readonly body: Uint8Array; readonly follows: readonly HashedFile[] } {
  const follows = before?.header.bodies ?? [];
  if (before !== undefined && follows.length > 0) {
    const delta = encodeBody(deltaOf(before, manifest));
    if (mayFollow(follows, delta.length)) {
      return { body: delta, follows };
    }
  }
  return { body: encodeBody(baseOf(manifest)), follows: [] };
}
