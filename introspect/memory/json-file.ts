// Small JSON files that describe a container.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { ParsError } from '../pars-error.js';
import { parsePeerJson } from '../peer-json.js';
import { readFully } from './read-fully.js';

/** A hypervisor's whole device state as JSON stays well below this. */
const maxJsonBytes = 64 * 2 ** 20;
/** A snapshot's device state has its bytes as numbers. */
const maxValueCount = 2 ** 25;

/** Throws `image-invalid` when the file is missing, too large or no JSON. */
export function readJsonFile(path: string): unknown {
  let fd: number;
  try {
    // Opening a pipe would otherwise wait for its writer.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new ParsError('image-invalid', `cannot open ${path}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > maxJsonBytes) {
      throw new ParsError(
        'image-invalid',
        `${path}: expected a JSON file of at most ${maxJsonBytes} bytes, ` +
          `found ${stat.isFile() ? `${stat.size} bytes` : 'no regular file'}`,
      );
    }
    const bytes = Buffer.alloc(stat.size);
    readFully(fd, 0, bytes, path);
    return parseJson(bytes.toString('utf8'), path);
  } finally {
    closeSync(fd);
  }
}

/** `name` says where the text comes from. Throws `image-invalid`. */
export function parseJson(text: string, name: string): unknown {
  try {
    return parsePeerJson(text, { maxValueCount });
  } catch (error) {
    throw new ParsError('image-invalid', `${name} is no JSON: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The member of a value that may not even be an object. */
export function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
