// Jars of Maven Central, with all that they need.
//
// Maven fetches them because it checks what it downloads and knows the dependencies. They arrive in a folder beside the
// final one, which is renamed into place last: a folder that is there is complete, and the second run neither needs the
// network nor starts Maven.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Has the artifacts of one group and version copied into `jars`, which must not be there yet. Two processes may do it at
 * once: the one that finishes second throws its copy away.
 */
export async function fetchJars(jars, { groupId, version, artifacts }) {
  await mkdir(dirname(jars), { recursive: true });
  const work = await mkdtemp(join(dirname(jars), 'fetch-'));
  try {
    await writeFile(join(work, 'pom.xml'), pom(groupId, version, artifacts));
    await runMaven(work);
    const names = await readdir(join(work, 'jars'));
    for (const artifact of artifacts) {
      if (!names.includes(`${artifact}-${version}.jar`)) {
        throw new Error(`Maven ended well but ${artifact}-${version}.jar is not there`);
      }
    }
    await rename(join(work, 'jars'), jars).catch((error) => {
      if (!existsSync(jars)) {
        throw error;
      }
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function pom(groupId, version, artifacts) {
  const dependencies = artifacts.map(
    (artifact) => `    <dependency>
      <groupId>${groupId}</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${version}</version>
    </dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pars.test</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}

/** Has Maven copy what `pom.xml` in the folder depends on into `jars/` beside it. */
function runMaven(folder) {
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
      if (code === 0) {
        resolve();
      } else {
        reject(new Error(`mvn ended with ${code}; it needs Maven Central once. It said:\n${said}`));
      }
    });
  });
}
