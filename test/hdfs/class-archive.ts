// Once per machine: a formatted NameNode folder and a class data archive, both in the cache folder.
//
// Loading some 7000 classes is most of what a Hadoop daemon does while it starts, six times over on two cores. The JVM
// can map them from an archive instead (70 MB). It is made from the class lists of one NameNode and one DataNode that
// really ran, and of one `hdfs dfs`. A JVM to which the archive does not fit ignores it, so a wrong archive costs time, never correctness.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hadoopCacheFolder } from '../setup/hadoop-jars.mjs';
import { commonProperties, writeConfiguration } from './configuration.js';
import { startDaemon } from './daemon.js';
import { dataNodeClass, fsShellClass, javaArguments, nameNodeClass } from './java-command.js';
import { forgetFolder, trackFolder } from './leftovers.js';
import { liveDataNodeCount } from './name-node-state.js';
import { freePorts } from './ports.js';

const run = promisify(execFile);

export interface Prepared {
  /** To be copied: the storage of a NameNode that has just been formatted. */
  readonly formattedNameFolder: string;
  readonly classArchive: string;
}

/** Makes what is missing; the second call only looks. */
export async function prepare(jars: readonly string[]): Promise<Prepared> {
  const folder = join(hadoopCacheFolder(), 'prepared');
  const prepared = {
    formattedNameFolder: join(folder, 'name'),
    classArchive: join(folder, 'classes.jsa'),
  };
  if (existsSync(folder)) {
    return prepared;
  }

  await mkdir(hadoopCacheFolder(), { recursive: true });
  const work = await mkdtemp(join(hadoopCacheFolder(), 'prepare-'));
  trackFolder(work);
  try {
    await prepareIn(work, jars);
    // Another process may have been faster: its result is as good.
    await rename(join(work, 'prepared'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) {
        throw error;
      }
    });
    return prepared;
  } finally {
    await rm(work, { recursive: true, force: true });
    forgetFolder(work);
  }
}

async function prepareIn(work: string, jars: readonly string[]): Promise<void> {
  const [rpcPort, httpPort, dataPort, dataHttpPort, dataIpcPort] = await freePorts(5);
  const configFolder = join(work, 'conf');
  const result = join(work, 'prepared');
  await mkdir(result);
  await writeConfiguration(configFolder, {
    ...commonProperties(rpcPort),
    'dfs.namenode.http-address': `127.0.0.1:${httpPort}`,
    'dfs.namenode.name.dir': join(work, 'name'),
    'dfs.datanode.address': `127.0.0.1:${dataPort}`,
    'dfs.datanode.http.address': `127.0.0.1:${dataHttpPort}`,
    'dfs.datanode.ipc.address': `127.0.0.1:${dataIpcPort}`,
    'dfs.datanode.data.dir': join(work, 'data'),
  });
  const format = ['-format', '-force', '-nonInteractive'];
  const formatting = { jars, configFolder, mainClass: nameNodeClass, arguments: format };
  await run('java', javaArguments(formatting));
  await run('cp', ['-r', join(work, 'name'), join(result, 'name')]);

  const listFlag = (name: string) => [`-XX:DumpLoadedClassList=${join(work, name)}`];
  const daemons = await Promise.all(
    [
      { name: 'NameNode', mainClass: nameNodeClass, jvmFlags: listFlag('name.list') },
      { name: 'DataNode', mainClass: dataNodeClass, jvmFlags: listFlag('data.list') },
    ].map(({ name, mainClass, jvmFlags }) =>
      startDaemon({
        name,
        command: ['java', ...javaArguments({ jars, configFolder, mainClass, jvmFlags })],
        logFile: join(work, `${name}.log`),
      }),
    ),
  );
  const nameNode = `http://127.0.0.1:${httpPort}`;
  while ((await liveDataNodeCount(nameNode)) !== 1) {
    const dead = daemons.find((daemon) => !daemon.isRunning());
    if (dead) {
      throw new Error(`${dead.name} ended while it started; its log:\n${dead.logTail()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // One write and one read load most of what is loaded late.
  const put = {
    jars,
    configFolder,
    mainClass: fsShellClass,
    arguments: ['-put', join(configFolder, 'hdfs-site.xml'), '/file'],
    jvmFlags: listFlag('shell.list'),
  };
  await run('java', javaArguments(put));
  await (await fetch(`${nameNode}/webhdfs/v1/file?op=OPEN`)).arrayBuffer();
  // Only an orderly end writes the class list to its last line.
  await Promise.all(daemons.map((daemon) => daemon.end('SIGTERM')));

  const classes = new Set<string>();
  for (const list of ['name.list', 'data.list', 'shell.list']) {
    for (const line of (await readFile(join(work, list), 'utf8')).split('\n')) {
      if (line !== '' && !line.startsWith('#')) {
        classes.add(line);
      }
    }
  }
  await writeFile(join(work, 'classes.list'), `${[...classes].join('\n')}\n`);
  await run('java', [
    '-Xshare:dump',
    '-XX:+UseSerialGC',
    `-XX:SharedClassListFile=${join(work, 'classes.list')}`,
    `-XX:SharedArchiveFile=${join(result, 'classes.jsa')}`,
    '-cp',
    jars.join(':'),
  ]);
}
