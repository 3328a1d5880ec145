// How every JVM of the test cluster is started: class path, memory, and what makes it start fast.
//
// Measured on two cores for one NameNode and five DataNodes: 18 s plain, 12 s with the C1 compiler only, 3 s with a
// class data archive on top. The archive is made once per JVM, see class-archive.ts.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchHadoopJars } from '../setup/hadoop-jars.mjs';

export const nameNodeClass = 'org.apache.hadoop.hdfs.server.namenode.NameNode';
export const dataNodeClass = 'org.apache.hadoop.hdfs.server.datanode.DataNode';
export const fsShellClass = 'org.apache.hadoop.fs.FsShell';
export const ecAdminClass = 'org.apache.hadoop.hdfs.tools.ECAdmin';
export const dfsAdminClass = 'org.apache.hadoop.hdfs.tools.DFSAdmin';
export const haAdminClass = 'org.apache.hadoop.hdfs.tools.DFSHAAdmin';
export const fetchTokenClass = 'org.apache.hadoop.hdfs.tools.DelegationTokenFetcher';

export async function hadoopJars(): Promise<readonly string[]> {
  const folder = await fetchHadoopJars((line) => {
    process.stderr.write(`${line}\n`);
  });
  // Sorted: an archive of class data is used only under the class path it was made with.
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

export interface JavaArguments {
  readonly jars: readonly string[];
  /** Holds core-site.xml, hdfs-site.xml, log4j.properties and webapps/. */
  readonly configFolder: string;
  readonly mainClass: string;
  readonly arguments?: readonly string[];
  readonly jvmFlags?: readonly string[];
}

export function javaArguments(options: JavaArguments): readonly string[] {
  return [
    '-Xmx128m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    ...plainJavaArguments(options),
  ];
}

/** Without what makes it start fast. */
export function plainJavaArguments(options: JavaArguments): readonly string[] {
  return [
    // Jersey reaches into java.lang; without this WebHDFS answers 500 InaccessibleObjectException on Java 17.
    '--add-opens',
    'java.base/java.lang=ALL-UNNAMED',
    ...(options.jvmFlags ?? []),
    '-cp',
    // The folder comes last: class data archives allow folders only after the jars.
    [...options.jars, options.configFolder].join(':'),
    options.mainClass,
    ...(options.arguments ?? []),
  ];
}
