// Lucene's jars, which a guest builds a full-text index with. They come as Hadoop's do.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.mjs';
import { fetchJars } from './maven-jars.mjs';

/** The last series for the Java of Debian 12. */
export const luceneVersion = '9.12.1';

const artifacts = ['lucene-core', 'lucene-analysis-common', 'lucene-queryparser'];

/** Not necessarily there yet. */
export function luceneJarsFolder() {
  return join(cacheFolder(), `lucene-${luceneVersion}`, 'jars');
}

/** Makes sure the jars are there and returns their folder. */
export async function fetchLuceneJars(log) {
  const jars = luceneJarsFolder();
  if (existsSync(jars)) {
    log(`lucene: ${luceneVersion} is in ${jars}`);
    return jars;
  }
  log(`lucene: fetching ${luceneVersion} with Maven into ${jars}`);
  await fetchJars(jars, { groupId: 'org.apache.lucene', version: luceneVersion, artifacts });
  return jars;
}
