// Where Hadoop's own configuration lies on this machine.
//
//   1  HADOOP_CONF_DIR
//   2  HADOOP_HOME/etc/hadoop
//   3  /etc/hadoop/conf          where distributions put it, and where their `hdfs` looks
//
// The first that is named counts: one that is named and not there is an error, and no reason to look at the next.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ParsError } from '../../../../introspect/pars-error.js';

const distributionsFolder = '/etc/hadoop/conf';

export type Environment = Readonly<Partial<Record<string, string>>>;

/** Undefined where there is none. Throws `usage` for a folder that the environment names and that is not there. */
export async function findConfigurationFolder(
  environment: Environment,
  otherwise: string = distributionsFolder,
): Promise<string | undefined> {
  const { HADOOP_CONF_DIR: folder = '', HADOOP_HOME: home = '' } = environment;
  if (folder !== '') {
    return await named(folder, 'HADOOP_CONF_DIR');
  }
  if (home !== '') {
    return await named(join(home, 'etc', 'hadoop'), 'HADOOP_HOME');
  }
  return (await isFolder(otherwise)) ? otherwise : undefined;
}

async function named(folder: string, variable: string): Promise<string> {
  if (await isFolder(folder)) {
    return folder;
  }
  throw new ParsError(
    'usage',
    `${variable}: expected a folder with Hadoop's configuration at ${folder}, found none`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** For an error: what was looked for, and where it is given. */
export const configurationFolders = `HADOOP_CONF_DIR, else HADOOP_HOME/etc/hadoop, else ${distributionsFolder}`;
