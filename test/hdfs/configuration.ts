// Hadoop's configuration files for one daemon: its own folder, so that each knows only its own addresses.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Properties = Readonly<Record<string, string>>;

/** What all daemons share. The intervals make a dead DataNode known after 12 s instead of 10.5 min. */
export function commonProperties(nameNodeRpcPort: number): Properties {
  return {
    'fs.defaultFS': `hdfs://127.0.0.1:${nameNodeRpcPort}`,
    'dfs.namenode.rpc-address': `127.0.0.1:${nameNodeRpcPort}`,
    'dfs.heartbeat.interval': '1',
    'dfs.namenode.heartbeat.recheck-interval': '1000',
    'dfs.namenode.redundancy.interval.seconds': '1',
    // A copy that HDFS could not make, as the node it was for had gone, is tried again after 10 s instead of 5 min.
    'dfs.namenode.reconstruction.pending.timeout-sec': '10',
    // A restarted NameNode leaves safe mode as soon as the blocks are reported, not 30 s later.
    'dfs.namenode.safemode.extension': '0',
    // DataNodes start together with the NameNode and knock until it opens.
    'ipc.client.connect.retry.interval': '100',
    'ipc.client.connect.max.retries': '600',
  };
}

/** Writes a configuration folder; `properties` may hold those of core-site.xml and of hdfs-site.xml alike. */
export async function writeConfiguration(folder: string, properties: Properties): Promise<void> {
  // The jars lack the web applications; empty ones are enough for WebHDFS and JMX.
  for (const name of ['hdfs', 'datanode', 'static', 'secondary']) {
    await mkdir(join(folder, 'webapps', name, 'WEB-INF'), { recursive: true });
    await writeFile(join(folder, 'webapps', name, 'WEB-INF', 'web.xml'), '<web-app/>\n');
  }
  const site = siteXml(properties);
  await writeFile(join(folder, 'core-site.xml'), site);
  await writeFile(join(folder, 'hdfs-site.xml'), site);
  await writeFile(join(folder, 'log4j.properties'), log4j);
}

export function siteXml(properties: Properties): string {
  const lines = Object.entries(properties).map(
    ([name, value]) =>
      `  <property><name>${name}</name><value>${escapeXml(value)}</value></property>\n`,
  );
  return `<configuration>\n${lines.join('')}</configuration>\n`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const log4j = `log4j.rootLogger=INFO, err
log4j.appender.err=org.apache.log4j.ConsoleAppender
log4j.appender.err.target=System.err
log4j.appender.err.layout=org.apache.log4j.PatternLayout
log4j.appender.err.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %c{1}: %m%n
`;
