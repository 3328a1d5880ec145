// A raw image in the format that a machine expects, made by qemu-img: QEMU's own tool is the one that knows its formats.
import { execFile } from 'node:child_process';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { ParsError } from '../../introspect/pars-error.js';
import { diskError } from '../host/disk-error.js';

const run = promisify(execFile);
const program = 'qemu-img';

/** Throws `unavailable` when the tool is not there. */
export async function expectConverter(): Promise<void> {
  await run(program, ['--version']).catch((error: unknown) => {
    throw conversionError(error, 'cannot convert disks');
  });
}

/** Makes `path`, which must not exist; it is whole once it has its name. Holes stay holes. */
export async function convertImage(
  rawPath: string,
  path: string,
  format: string,
  signal?: AbortSignal,
): Promise<void> {
  const part = `${path}.part`;
  // Made first, as qemu-img would let everybody read it.
  const file = await open(part, 'wx', 0o600).catch((error: unknown) => {
    throw diskError(error, `cannot create ${part}`);
  });
  await file.close();
  try {
    // Absolute, so that no path is taken for a protocol and its address.
    const paths = [resolve(rawPath), resolve(part)];
    await run(program, ['convert', '-f', 'raw', '-O', format, '--', ...paths], {
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      if (signal?.aborted === true) {
        throw new ParsError('cancelled', `the conversion of ${rawPath} was stopped`, {
          cause: error,
        });
      }
      throw conversionError(error, `cannot convert ${rawPath} to ${format}`);
    });
    await rename(part, path).catch((error: unknown) => {
      throw diskError(error, `cannot name ${path}`);
    });
  } finally {
    await rm(part, { force: true });
  }
}

function conversionError(error: unknown, what: string): ParsError {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return new ParsError(
      'unavailable',
      `${what}: ${program} is not installed (package qemu-utils)`,
      { cause: error },
    );
  }
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return new ParsError('unavailable', `${what}: ${said === '' ? String(error) : said}`, {
    cause: error,
  });
}
