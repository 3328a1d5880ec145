// A file that a restore writes: under a name of its own while it is not whole, then placed by a rename.
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';

export const partOf = (path: string): string => `${path}.part`;

/** Throws `already-exists` when anything has the name. */
export async function checkFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    const problem = diskError(error, `cannot look at ${path}`);
    if (problem.code === 'not-found') {
      return undefined;
    }
    throw problem;
  });
  if (found !== undefined) {
    throw new ParsError(
      'already-exists',
      `${path} is there already, and nothing was overwritten; remove it, or restore to another folder`,
    );
  }
}

/** The parts that a restore has made. Others may belong to another restore. */
export class PartFiles {
  readonly #made: string[] = [];

  /** The part of the file that is to have that path. */
  async create(path: string): Promise<FileHandle> {
    const part = partOf(path);
    const file = await createPart(part);
    this.#made.push(part);
    return file;
  }

  /** Removes those that were not placed. */
  async remove(): Promise<void> {
    await Promise.all(this.#made.map((part) => rm(part, { force: true })));
  }
}

async function createPart(path: string): Promise<FileHandle> {
  return await open(path, 'wx', 0o600).catch((error: unknown) => {
    const problem = diskError(error, `cannot create ${path}`);
    throw problem.code === 'already-exists'
      ? new ParsError(
          'already-exists',
          `${path} is there already: another restore is writing it, or one was killed; then remove it`,
          { cause: error },
        )
      : problem;
  });
}

export async function placePart(path: string): Promise<void> {
  await rename(partOf(path), path).catch((error: unknown) => {
    throw diskError(error, `cannot name ${path}`);
  });
}
