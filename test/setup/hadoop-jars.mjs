// Hadoop's jars for a real HDFS in tests: one JVM per daemon, no Docker.
//
// Maven fetches them (118 jars, 65 MB, about 30 s) because it checks what it downloads and knows the dependencies. They
// arrive in a folder beside the final one, which is renamed into place last: a folder that is there is complete, and
// the second run neither needs the network nor starts Maven.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { cacheFolder } from './cache-folder.mjs';

export const hadoopVersion = '3.4.2';

/** Where everything of this Hadoop version lies: `jars/`, and what test/hdfs derives from them. */
export function hadoopCacheFolder() {
  return join(cacheFolder(), `hadoop-${hadoopVersion}`);
}

/**
 * Makes sure the jars are there and returns their folder.
 * `log` is told before a download. Two processes may do it at once: the one that finishes second throws its copy away.
 */
export async function fetchHadoopJars(log) {
  const jars = join(hadoopCacheFolder(), 'jars');
  if (existsSync(jars)) return jars;

  await mkdir(dirname(jars), { recursive: true });
  const work = await mkdtemp(join(dirname(jars), 'fetch-'));
  try {
    log?.(`fetching Hadoop ${hadoopVersion} with Maven into ${jars}`);
    await writeFile(join(work, 'pom.xml'), pom());
    await runMaven(work);
    const names = await readdir(join(work, 'jars'));
    for (const artifact of artifacts) {
      if (!names.includes(`${artifact}-${hadoopVersion}.jar`))
        throw new Error(`Maven ended well but ${artifact}-${hadoopVersion}.jar is not there`);
    }
    await rename(join(work, 'jars'), jars).catch((error) => {
      if (!existsSync(jars)) throw error;
    });
    return jars;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const artifacts = ['hadoop-common', 'hadoop-hdfs', 'hadoop-hdfs-client'];

function pom() {
  const dependencies = artifacts.map(
    (artifact) => `    <dependency>
      <groupId>org.apache.hadoop</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${hadoopVersion}</version>
    </dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pars.test</groupId>
  <artifactId>hdfs</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}

/** Has Maven copy what `pom.xml` in the folder depends on into `jars/` beside it. */
export function runMaven(folder) {
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  const args = ['-B', '-q', goal, '-DoutputDirectory=jars', '-DincludeScope=runtime'];
  return new Promise((resolve, reject) => {
    const maven = spawn('mvn', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const keep = (chunk) => {
      said = (said + chunk.toString()).slice(-4000);
    };
    maven.stdout.on('data', keep);
    maven.stderr.on('data', keep);
    maven.on('error', (error) => {
      reject(
        new Error('cannot run mvn: install Maven 3 and a JDK, or copy a filled cache folder here', {
          cause: error,
        }),
      );
    });
    maven.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new Error(`mvn ended with ${code}; it needs Maven Central once. It said:\n${said}`));
    });
  });
}
