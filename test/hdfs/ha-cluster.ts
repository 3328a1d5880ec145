// A real HDFS with two NameNodes that share a folder of edits. There is no ZooKeeper and nobody who decides by himself: a test says
// which NameNode is active, as `hdfs haadmin` lets people do.

import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { prepare } from './class-archive.js';
import { commonProperties, type Properties, writeConfiguration } from './configuration.js';
import { type Daemon, startDaemon } from './daemon.js';
import { type CommandResult, runHadoopCommand } from './hadoop-command.js';
import {
  dataNodeClass,
  dfsAdminClass,
  fsShellClass,
  haAdminClass,
  hadoopJars,
  javaArguments,
  nameNodeClass,
} from './java-command.js';
import { forgetFolder, trackFolder } from './leftovers.js';
import { liveDataNodeCount } from './name-node-state.js';
import { freePorts } from './ports.js';

export interface HaNameNode {
  /** `host:port` of its RPC. */
  readonly hostPort: string;
  readonly pid: number;
  isRunning(): boolean;
  kill(): Promise<void>;
  /** Starts it again, standing by; resolves when it answers and knows all DataNodes. */
  restart(): Promise<void>;
}

export interface HaCluster {
  readonly folder: string;
  /** For HADOOP_CONF_DIR. */
  readonly configFolder: string;
  /** The name that clients know it by. */
  readonly service: string;
  readonly nameNodes: readonly [HaNameNode, HaNameNode];
  /** The other one must be standing by, or dead. */
  makeActive(index: 0 | 1): Promise<void>;
  makeStandby(index: 0 | 1): Promise<void>;
  hdfsDfs(args: readonly string[]): Promise<CommandResult>;
  dfsAdmin(args: readonly string[]): Promise<CommandResult>;
  /** The report of `hdfs fsck PATH -files -blocks -locations -openforwrite` by the active NameNode. */
  fsck(path: string): Promise<string>;
  /**
   * What `hdfs dfsadmin -listOpenFiles` names: files that somebody has a lease of. (What JMX counts as NumFilesUnderConstruction is
   * one more after a NameNode was started again, with nothing in this list; measured with 3.4.2.)
   */
  openFiles(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const service = 'cluster';
const ids = ['nn1', 'nn2'] as const;
const startTimeoutMs = 200_000;

/** Starts both NameNodes and the DataNodes; the first NameNode is made active. */
export async function startHaHdfs(dataNodeCount = 3): Promise<HaCluster> {
  const jars = await hadoopJars();
  const prepared = await prepare(jars);
  const folder = await mkdtemp(join(tmpdir(), 'pars-hdfs-ha-'));
  trackFolder(folder);
  const ports = await freePorts(4 + 3 * dataNodeCount);
  const rpcPorts = ports.slice(0, 2);
  const httpUrls = ports.slice(2, 4).map((port) => `http://127.0.0.1:${port}`);
  const shared: Properties = {
    ...Object.fromEntries(
      // Each NameNode has its own.
      Object.entries(commonProperties(0)).filter(([name]) => name !== 'dfs.namenode.rpc-address'),
    ),
    'fs.defaultFS': `hdfs://${service}`,
    'dfs.nameservices': service,
    [`dfs.ha.namenodes.${service}`]: ids.join(','),
    [`dfs.client.failover.proxy.provider.${service}`]:
      'org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider',
    'dfs.ha.fencing.methods': 'shell(/bin/true)',
    'dfs.namenode.shared.edits.dir': `file://${join(folder, 'edits')}`,
    ...Object.fromEntries(
      ids.flatMap((id, index) => [
        [`dfs.namenode.rpc-address.${service}.${id}`, `127.0.0.1:${rpcPorts[index]}`],
        [`dfs.namenode.http-address.${service}.${id}`, httpUrls[index].slice('http://'.length)],
      ]),
    ),
    'dfs.ha.tail-edits.period': '1',
  };
  const configFolder = join(folder, 'conf');
  // People do not wait for a dead NameNode as long as DataNodes do for one that starts.
  await writeConfiguration(configFolder, { ...shared, 'ipc.client.connect.max.retries': '1' });

  const daemons = new Map<string, Daemon>();
  const start = async (name: string, mainClass: string, properties: Properties) => {
    const ownConfigFolder = join(folder, name, 'conf');
    await writeConfiguration(ownConfigFolder, { ...shared, ...properties });
    const jvmFlags = [
      `-XX:SharedArchiveFile=${prepared.classArchive}`,
      '-Xshare:auto',
      `-Djava.io.tmpdir=${ownConfigFolder}`,
    ];
    const java = javaArguments({ jars, configFolder: ownConfigFolder, mainClass, jvmFlags });
    const logFile = join(folder, name, 'log');
    daemons.set(name, await startDaemon({ name, command: ['java', ...java], logFile }));
  };
  const daemonOf = (name: string): Daemon => {
    const daemon = daemons.get(name);
    if (!daemon) {
      throw new Error(`${name} was never started`);
    }
    return daemon;
  };
  const waitFor = async (what: string, isReached: () => Promise<boolean>) => {
    const deadlineMs = performance.now() + startTimeoutMs;
    while (!(await isReached())) {
      if (performance.now() > deadlineMs) {
        throw new Error(
          `${what} not reached within ${startTimeoutMs} ms; see the logs in ${folder}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const startNameNode = (index: number) =>
    start(ids[index], nameNodeClass, {
      'dfs.ha.namenode.id': ids[index],
      'dfs.namenode.name.dir': join(folder, ids[index], 'name'),
    });
  const startDataNode = (index: number) => {
    const [port, httpPort, ipcPort] = ports.slice(4 + 3 * index);
    return start(`data-node-${index}`, dataNodeClass, {
      'dfs.datanode.hostname': '127.0.0.1',
      'dfs.datanode.address': `127.0.0.1:${port}`,
      'dfs.datanode.http.address': `127.0.0.1:${httpPort}`,
      'dfs.datanode.ipc.address': `127.0.0.1:${ipcPort}`,
      'dfs.datanode.data.dir': join(folder, `data-node-${index}`, 'data'),
    });
  };
  const knowsDataNodes = (index: number) =>
    waitFor(`${dataNodeCount} DataNodes known to ${ids[index]}`, async () => {
      const daemon = daemonOf(ids[index]);
      if (!daemon.isRunning()) {
        throw new Error(`${daemon.name} ended while it started; its log:\n${daemon.logTail()}`);
      }
      return (await liveDataNodeCount(httpUrls[index])) === dataNodeCount;
    });
  const command = (mainClass: string, args: readonly string[]): Promise<CommandResult> =>
    runHadoopCommand(
      javaArguments({
        jars,
        configFolder,
        mainClass,
        arguments: args,
        jvmFlags: [`-XX:SharedArchiveFile=${prepared.classArchive}`, '-Xshare:auto'],
      }),
      undefined,
    );
  const transition = async (args: readonly string[], id: string) => {
    const { exitCode, stderr } = await command(haAdminClass, [...args, id]);
    if (exitCode !== 0) {
      throw new Error(`haadmin ${args.join(' ')} ${id} ended with ${exitCode}: ${stderr}`);
    }
  };
  // Whether the other one is dead or stands by, nobody needs to ask it.
  const makeActive = (index: 0 | 1) =>
    transition(['-transitionToActive', '--forceactive'], ids[index]);
  const activeUrl = async (): Promise<string> => {
    for (const url of httpUrls) {
      if ((await stateOf(url)) === 'active') {
        return url;
      }
    }
    throw new Error('no NameNode is active');
  };
  const close = async () => {
    await Promise.all([...daemons.values()].map((daemon) => daemon.end('SIGKILL')));
    await rm(folder, { recursive: true, force: true });
    forgetFolder(folder);
  };

  try {
    await mkdir(join(folder, 'edits', 'current'), { recursive: true });
    for (const name of ['VERSION', 'seen_txid']) {
      const from = join(prepared.formattedNameFolder, 'current', name);
      await cp(from, join(folder, 'edits', 'current', name));
    }
    for (const id of ids) {
      await cp(prepared.formattedNameFolder, join(folder, id, 'name'), { recursive: true });
    }
    const dataNodes = Array.from({ length: dataNodeCount }, (_node, index) => startDataNode(index));
    await Promise.all([startNameNode(0), startNameNode(1), ...dataNodes]);
    await Promise.all([knowsDataNodes(0), knowsDataNodes(1)]);
    await makeActive(0);
  } catch (error) {
    await close();
    throw error;
  }

  const nameNodeOf = (index: 0 | 1): HaNameNode => ({
    hostPort: `127.0.0.1:${rpcPorts[index]}`,
    get pid() {
      return daemonOf(ids[index]).pid;
    },
    isRunning: () => daemonOf(ids[index]).isRunning(),
    kill: () => daemonOf(ids[index]).end('SIGKILL'),
    restart: async () => {
      await startNameNode(index);
      await knowsDataNodes(index);
    },
  });
  return {
    folder,
    configFolder,
    service,
    nameNodes: [nameNodeOf(0), nameNodeOf(1)],
    makeActive,
    makeStandby: (index) => transition(['-transitionToStandby'], ids[index]),
    hdfsDfs: (args) => command(fsShellClass, args),
    dfsAdmin: (args) => command(dfsAdminClass, args),
    fsck: async (path) => {
      const query = new URLSearchParams({
        path,
        files: '1',
        blocks: '1',
        locations: '1',
        openforwrite: '1',
        'user.name': userInfo().username,
      });
      return await (await fetch(`${await activeUrl()}/fsck?${query.toString()}`)).text();
    },
    openFiles: async () => {
      const { stdout } = await command(dfsAdminClass, ['-listOpenFiles']);
      const [heading, ...lines] = stdout.trimEnd().split('\n');
      if (!heading.includes('Open File Path')) {
        throw new Error(`expected a list of open files, found: ${stdout}`);
      }
      return lines;
    },
    close,
  };
}

const beans = z.object({ beans: z.array(z.object({ State: z.string() })) });

/** Undefined as long as nothing answers. */
async function stateOf(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url}/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus`);
    return beans.parse(await answer.json()).beans.at(0)?.State;
  } catch {
    return undefined;
  }
}
