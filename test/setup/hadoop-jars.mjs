// Hadoop's jars for a real HDFS in tests: one JVM per daemon, no Docker. 118 jars, 65 MB, about 30 s.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.mjs';
import { fetchJars } from './maven-jars.mjs';

export const hadoopVersion = '3.4.2';

const artifacts = ['hadoop-common', 'hadoop-hdfs', 'hadoop-hdfs-client'];

/** Where everything of this Hadoop version lies: `jars/`, and what test/hdfs derives from them. */
export function hadoopCacheFolder() {
  return join(cacheFolder(), `hadoop-${hadoopVersion}`);
}

/** Makes sure the jars are there and returns their folder. `log` is told before a download. */
export async function fetchHadoopJars(log) {
  const jars = join(hadoopCacheFolder(), 'jars');
  if (existsSync(jars)) {
    return jars;
  }
  log?.(`fetching Hadoop ${hadoopVersion} with Maven into ${jars}`);
  await fetchJars(jars, { groupId: 'org.apache.hadoop', version: hadoopVersion, artifacts });
  return jars;
}
