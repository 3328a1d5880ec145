// Reading Hadoop's configuration: core-site.xml and hdfs-site.xml of its folder, with the files that they include. What Hadoop
// has by default (core-default.xml, hdfs-default.xml) is in its jars, and stands here where it is asked for.

import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParsError } from '../../../../introspect/pars-error.js';
import { Configuration, type LocatedProperty } from './configuration.js';
import { type Environment, findConfigurationFolder } from './folder.js';
import { type Entry, type Include, maxResourceBytes, parseResource } from './resource.js';

const fileNames = ['core-site.xml', 'hdfs-site.xml'];
const maxIncludeDepth = 8;
const maxFileCount = 64;

interface Reading {
  readonly properties: LocatedProperty[];
  fileCount: number;
}

/**
 * Undefined where there is no folder of it. Throws `usage`, with file and property, for what is there and is no configuration,
 * and `permission-denied` for what may not be read.
 */
export async function readConfiguration(
  environment: Environment,
): Promise<Configuration | undefined> {
  const folder = await findConfigurationFolder(environment);
  if (folder === undefined) {
    return undefined;
  }
  const reading: Reading = { properties: [], fileCount: 0 };
  for (const name of fileNames) {
    await readResource(reading, resolve(folder, name), 0);
  }
  if (reading.fileCount === 0) {
    throw new ParsError(
      'usage',
      `${folder}: expected ${fileNames.join(' or ')} of Hadoop's configuration, found neither`,
    );
  }
  return new Configuration(folder, reading.properties, environment);
}

/** False where the file is not there. */
async function readResource(reading: Reading, file: string, depth: number): Promise<boolean> {
  const text = await readText(file);
  if (text === undefined) {
    return false;
  }
  reading.fileCount++;
  if (depth > maxIncludeDepth || reading.fileCount > maxFileCount) {
    throw new ParsError(
      'usage',
      `${file}: expected at most ${maxIncludeDepth} files that include each other and ${maxFileCount} in all`,
    );
  }
  await addEntries(reading, parseResource(text, file), file, depth);
  return true;
}

async function addEntries(
  reading: Reading,
  entries: readonly Entry[],
  file: string,
  depth: number,
): Promise<void> {
  for (const entry of entries) {
    if (entry.kind === 'property') {
      reading.properties.push({ ...entry, file });
    } else {
      await include(reading, entry, file, depth);
    }
  }
}

async function include(
  reading: Reading,
  { href, fallback }: Include,
  file: string,
  depth: number,
): Promise<void> {
  if (await readResource(reading, includedFile(href, file), depth + 1)) {
    return;
  }
  if (fallback === undefined) {
    throw new ParsError(
      'usage',
      `${file}: expected the file that it includes, ${href}, found none`,
    );
  }
  await addEntries(reading, fallback, file, depth);
}

/** Hadoop also fetches by HTTP; what decides where data goes is not taken from a network here. */
function includedFile(href: string, file: string): string {
  if (/^file:/i.test(href)) {
    return fileURLToPath(href);
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(href)) {
    throw new ParsError('usage', `${file}: expected an include of a file, found ${href}`);
  }
  return resolve(dirname(file), href);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > maxResourceBytes) {
        throw new ParsError(
          'usage',
          `${file}: expected at most ${maxResourceBytes} bytes of configuration, found ${size}`,
        );
      }
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof ParsError) {
      throw cause;
    }
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw new ParsError(
      code === 'EACCES' ? 'permission-denied' : 'usage',
      `${file}: cannot be read: ${message}`,
      { cause },
    );
  }
}
