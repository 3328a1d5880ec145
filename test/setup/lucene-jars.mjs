// Lucene's jars, which a guest builds a full-text index with. They come as Hadoop's do.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { cacheFolder } from './cache-folder.mjs';
import { runMaven } from './hadoop-jars.mjs';

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
  await mkdir(dirname(jars), { recursive: true });
  const work = await mkdtemp(join(dirname(jars), 'fetch-'));
  try {
    log(`lucene: fetching ${luceneVersion} with Maven into ${jars}`);
    await writeFile(join(work, 'pom.xml'), pom());
    await runMaven(work);
    const names = await readdir(join(work, 'jars'));
    for (const artifact of artifacts) {
      if (!names.includes(`${artifact}-${luceneVersion}.jar`))
        throw new Error(`Maven ended well but ${artifact}-${luceneVersion}.jar is not there`);
    }
    // Another process may have been quicker.
    await rename(join(work, 'jars'), jars).catch((error) => {
      if (!existsSync(jars)) throw error;
    });
    return jars;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function pom() {
  const dependencies = artifacts.map(
    (artifact) => `    <dependency>
      <groupId>org.apache.lucene</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${luceneVersion}</version>
    </dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pars.test</groupId>
  <artifactId>lucene</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}
