// A real HDFS on this machine: one NameNode and some DataNodes, each its own JVM, so that killing one is what it is in
// a data centre. For tests, the demo and the benches.
//
// Needs a JDK 17 and, the first time, Maven; about 200 MB of memory per DataNode and 3 s to start.

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { prepare } from './class-archive.js';
import { commonProperties, type Properties, writeConfiguration } from './configuration.js';
import { type Daemon, startDaemon } from './daemon.js';
import { type CommandResult, runHadoopCommand } from './hadoop-command.js';
import {
  dataNodeClass,
  dfsAdminClass,
  ecAdminClass,
  fsShellClass,
  hadoopJars,
  javaArguments,
  nameNodeClass,
  plainJavaArguments,
} from './java-command.js';
import { forgetFolder, trackFolder } from './leftovers.js';
import { liveDataNodeCount } from './name-node-state.js';
import { freePorts } from './ports.js';
import { makeTls } from './tls.js';

export interface HdfsOptions {
  /** 5 unless told: enough for replication 3 with two dead. */
  readonly dataNodeCount?: number;
  /** An empty folder for all data, which close() leaves there. A temporary one unless told, which it removes. */
  readonly folder?: string;
  /** Properties of core-site.xml or hdfs-site.xml, for every daemon. */
  readonly configOverrides?: Properties;
  /** More of them for single DataNodes, by their index. */
  readonly dataNodeOverrides?: readonly Properties[];
  /** For every daemon, after the flags that make it start fast, which cost speed later: benches undo those. */
  readonly jvmFlags?: readonly string[];
  /** Whether it is reached over TLS (swebhdfs) as well, with a certificate of its own. False unless told. */
  readonly tls?: boolean;
}

export interface HdfsDataNode {
  /** The process of the JVM that runs now. */
  readonly pid: number;
  /** `host:port` for block transfer: the name that block locations give. */
  readonly name: string;
  /** `host:port` of its WebHDFS, as redirects and `excludedatanodes` name it. */
  readonly httpAddress: string;
  readonly dataFolder: string;
  isRunning(): boolean;
  /** SIGKILL: to the cluster the node is gone without a word. Resolves when the process has ended. */
  kill(): Promise<void>;
  /** Starts it again with the same ports and data. Does not wait until the NameNode knows it. */
  restart(): Promise<void>;
}

export interface HdfsCommandOptions {
  /** The user running the command; the NameNode's own, the superuser, unless told. */
  readonly userName?: string;
  /** `quick`: with flags that make the JVM start fast, unless told. `default`: with Java's own, as most run it. */
  readonly jvm?: 'quick' | 'default';
}

export interface HdfsCluster {
  readonly folder: string;
  /** The folder of the NameNode's own configuration, which serves clients as well. */
  readonly configFolder: string;
  readonly nameNodeHttpUrl: string;
  /** `hdfs://host:port` for Hadoop's own clients. */
  readonly defaultFs: string;
  readonly dataNodes: readonly HdfsDataNode[];
  /** The process of the JVM that runs now. */
  readonly nameNodePid: number;
  /** Present with `tls`: the certificate that clients must trust, and where they find it as a file, both PEM. */
  readonly tls?: { readonly ca: string; readonly caFile: string };
  /** `webhdfs://host:port/path`, or `swebhdfs://` for a cluster with TLS, with `user.name` when one is given. */
  webhdfsUrl(path: string, userName?: string): string;
  /** `hdfs://host:port/path`, as a user when one is given. */
  hdfsUrl(path: string, userName?: string): string;
  killNameNode(): Promise<void>;
  /** Resolves when it answers; it may still be in safe mode until the DataNodes have reported. */
  restartNameNode(): Promise<void>;
  /**
   * Until the NameNode counts exactly `count` live DataNodes, and names no killed one as the location of a block: at once
   * for a start, after 12 s for a death, and later where the machine is busy.
   */
  waitForLiveDataNodes(count: number, timeoutMs?: number): Promise<void>;
  /** `hdfs dfs ...`: a JVM start each, so about a second. */
  hdfsDfs(args: readonly string[], options?: HdfsCommandOptions): Promise<CommandResult>;
  /** `hdfs ec ...`, as the superuser. */
  hdfsEc(args: readonly string[]): Promise<CommandResult>;
  /** `hdfs dfsadmin ...`, as the superuser. */
  dfsAdmin(args: readonly string[]): Promise<CommandResult>;
  /**
   * The report of `hdfs fsck PATH -files -blocks -locations`, as text. Asked as the superuser, like `hdfs fsck` itself;
   * the servlet would take a request without a name for a stranger's. `openForWrite`: with `-openforwrite` too.
   */
  fsck(path: string, options?: { readonly openForWrite?: boolean }): Promise<string>;
  /** Kills every daemon and removes the data, unless its folder was given. */
  close(): Promise<void>;
}

/** Daemons that start together share the processors. */
const startTimeoutPerNodeMs = 40_000;

/** Starts a cluster and waits until every DataNode is live. */
export async function startHdfs(options: HdfsOptions = {}): Promise<HdfsCluster> {
  const dataNodeCount = options.dataNodeCount ?? 5;
  const startTimeoutMs = startTimeoutPerNodeMs * Math.max(5, dataNodeCount);
  const jars = await hadoopJars();
  const prepared = await prepare(jars);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'pars-hdfs-')));
  await mkdir(folder, { recursive: true });
  if (options.folder === undefined) {
    trackFolder(folder);
  }

  const [rpcPort, httpPort, httpsPort, ...dataPorts] = await freePorts(3 + 4 * dataNodeCount);
  const tls = options.tls === true ? await makeTls(join(folder, 'tls')) : undefined;
  const nameNodeHttpUrl = `http://127.0.0.1:${httpPort}`;
  const shared = {
    ...commonProperties(rpcPort),
    ...(tls ? { 'dfs.http.policy': 'HTTP_AND_HTTPS' } : {}),
    ...options.configOverrides,
  };
  const daemons = new Map<string, Daemon>();

  const start = async (name: string, mainClass: string, properties: Properties) => {
    const configFolder = join(folder, name, 'conf');
    await writeConfiguration(configFolder, { ...properties, ...shared });
    if (tls) {
      await writeFile(join(configFolder, 'ssl-server.xml'), tls.sslServerXml);
    }
    const jvmFlags = [
      `-XX:SharedArchiveFile=${prepared.classArchive}`,
      '-Xshare:auto',
      // Jetty unpacks its pages there and leaves them.
      `-Djava.io.tmpdir=${configFolder}`,
      ...(options.jvmFlags ?? []),
    ];
    const daemon = await startDaemon({
      name,
      command: ['java', ...javaArguments({ jars, configFolder, mainClass, jvmFlags })],
      logFile: join(folder, name, 'log'),
    });
    daemons.set(name, daemon);
  };
  const daemonOf = (name: string): Daemon => {
    const daemon = daemons.get(name);
    if (!daemon) {
      throw new Error(`${name} was never started`);
    }
    return daemon;
  };

  const nameNode = 'name-node';
  const startNameNode = () =>
    start(nameNode, nameNodeClass, {
      'dfs.namenode.http-address': `127.0.0.1:${httpPort}`,
      'dfs.namenode.https-address': `127.0.0.1:${httpsPort}`,
      'dfs.namenode.name.dir': join(folder, nameNode, 'name'),
    });

  const dataNodes = Array.from({ length: dataNodeCount }, (_, index): HdfsDataNode => {
    const name = `data-node-${index}`;
    const [port, dataHttpPort, dataHttpsPort, ipcPort] = dataPorts.slice(4 * index);
    const dataFolder = join(folder, name, 'data');
    return {
      get pid() {
        return daemonOf(name).pid;
      },
      name: `127.0.0.1:${port}`,
      httpAddress: `127.0.0.1:${dataHttpPort}`,
      dataFolder,
      isRunning: () => daemonOf(name).isRunning(),
      kill: () => daemonOf(name).end('SIGKILL'),
      restart: () =>
        start(name, dataNodeClass, {
          'dfs.datanode.hostname': '127.0.0.1',
          'dfs.datanode.address': `127.0.0.1:${port}`,
          'dfs.datanode.http.address': `127.0.0.1:${dataHttpPort}`,
          'dfs.datanode.https.address': `127.0.0.1:${dataHttpsPort}`,
          'dfs.datanode.ipc.address': `127.0.0.1:${ipcPort}`,
          'dfs.datanode.data.dir': dataFolder,
          ...options.dataNodeOverrides?.[index],
        }),
    };
  });

  const waitFor = async (what: string, timeoutMs: number, isReached: () => Promise<boolean>) => {
    const deadline = performance.now() + timeoutMs;
    while (!(await isReached())) {
      if (performance.now() > deadline) {
        throw new Error(`${what} not reached within ${timeoutMs} ms; see the logs in ${folder}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const fsck = async (path: string, { openForWrite = false } = {}) => {
    const query = new URLSearchParams({
      path,
      files: '1',
      blocks: '1',
      locations: '1',
      ...(openForWrite ? { openforwrite: '1' } : {}),
      'user.name': userInfo().username,
    });
    const report = await (await fetch(`${nameNodeHttpUrl}/fsck?${query.toString()}`)).text();
    if (!report.includes('FSCK ended')) {
      throw new Error(`expected a report of fsck, found:\n${report}`);
    }
    return report;
  };
  const waitForLiveDataNodes = (count: number, timeoutMs = 60_000) =>
    waitFor(`${count} live DataNodes`, timeoutMs, async () => {
      if ((await liveDataNodeCount(nameNodeHttpUrl)) !== count) {
        return false;
      }
      // A dead DataNode is first counted as dead, and its blocks are forgotten after that.
      const dead = dataNodes.filter((node) => !node.isRunning());
      if (dead.length === 0) {
        return true;
      }
      const report = await fsck('/');
      return !dead.some(({ name }) => report.includes(`[${name},`));
    });

  const command = (
    mainClass: string,
    args: readonly string[],
    { userName, jvm = 'quick' }: HdfsCommandOptions = {},
  ): Promise<CommandResult> => {
    const configFolder = join(folder, nameNode, 'conf');
    const options = { jars, configFolder, mainClass, arguments: args };
    const jvmFlags = [`-XX:SharedArchiveFile=${prepared.classArchive}`, '-Xshare:auto'];
    return runHadoopCommand(
      jvm === 'quick' ? javaArguments({ ...options, jvmFlags }) : plainJavaArguments(options),
      userName,
    );
  };

  const close = async () => {
    await Promise.all([...daemons.values()].map((daemon) => daemon.end('SIGKILL')));
    if (options.folder !== undefined) {
      return;
    }
    await rm(folder, { recursive: true, force: true });
    forgetFolder(folder);
  };

  try {
    await cp(prepared.formattedNameFolder, join(folder, nameNode, 'name'), { recursive: true });
    await Promise.all([startNameNode(), ...dataNodes.map((node) => node.restart())]);
    await waitFor(`${dataNodeCount} live DataNodes`, startTimeoutMs, async () => {
      const dead = [...daemons.values()].find((daemon) => !daemon.isRunning());
      if (dead) {
        throw new Error(`${dead.name} ended while it started; its log:\n${dead.logTail()}`);
      }
      return (await liveDataNodeCount(nameNodeHttpUrl)) === dataNodeCount;
    });
  } catch (error) {
    await close();
    throw error;
  }

  return {
    folder,
    configFolder: join(folder, nameNode, 'conf'),
    nameNodeHttpUrl,
    defaultFs: `hdfs://127.0.0.1:${rpcPort}`,
    dataNodes,
    get nameNodePid() {
      return daemonOf(nameNode).pid;
    },
    ...(tls ? { tls: { ca: tls.ca, caFile: tls.caFile } } : {}),
    webhdfsUrl: (path, userName) => {
      const query = userName === undefined ? '' : `?user.name=${encodeURIComponent(userName)}`;
      return tls
        ? `swebhdfs://127.0.0.1:${httpsPort}${path}${query}`
        : `webhdfs://127.0.0.1:${httpPort}${path}${query}`;
    },
    hdfsUrl: (path, userName) => {
      const user = userName === undefined ? '' : `${encodeURIComponent(userName)}@`;
      return `hdfs://${user}127.0.0.1:${rpcPort}${path}`;
    },
    killNameNode: () => daemonOf(nameNode).end('SIGKILL'),
    restartNameNode: async () => {
      await startNameNode();
      await waitFor('a NameNode that answers', startTimeoutMs, async () => {
        return (await liveDataNodeCount(nameNodeHttpUrl)) !== undefined;
      });
    },
    waitForLiveDataNodes,
    hdfsDfs: (args, commandOptions) => command(fsShellClass, args, commandOptions),
    hdfsEc: (args) => command(ecAdminClass, args),
    dfsAdmin: (args) => command(dfsAdminClass, args),
    fsck,
    close,
  };
}
