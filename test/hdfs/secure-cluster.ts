// A real HDFS that knows its users by Kerberos and gives them tokens: a realm of its own (kdc.ts), a NameNode and two DataNodes,
// block access tokens, and protection of what is sent as the client likes it. The first DataNode encrypts by AES, the second by
// 3DES.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HdfsCluster, startHdfs } from './cluster.js';
import { type CommandResult, runHadoopCommand } from './hadoop-command.js';
import { fetchTokenClass, fsShellClass, hadoopJars, javaArguments } from './java-command.js';
import { type Kdc, realm, startKdc } from './kdc.js';
import { forgetFolder, trackFolder } from './leftovers.js';

export interface SecureCluster extends Pick<
  HdfsCluster,
  'dataNodes' | 'hdfsUrl' | 'waitForLiveDataNodes'
> {
  /** A folder for what a test writes. */
  readonly folder: string;
  /** What a client's configuration must say. */
  readonly clientProperties: Readonly<Record<string, string>>;
  /** `hdfs fetchdt`, as the user. */
  fetchToken(file: string, userName: string, args?: readonly string[]): Promise<CommandResult>;
  /** `hdfs dfs ...`, as the user. */
  hdfsDfs(args: readonly string[], userName: string): Promise<CommandResult>;
  close(): Promise<void>;
}

const superuser = 'nn';
export const tokenOwner = 'alice';
const allProtections = 'authentication,integrity,privacy';

export async function startSecureHdfs(): Promise<SecureCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'pars-hdfs-secure-'));
  trackFolder(folder);
  let kdc: Kdc | undefined;
  let cluster: HdfsCluster | undefined;
  const close = async () => {
    await cluster?.close();
    await kdc?.close();
    await rm(folder, { recursive: true, force: true });
    forgetFolder(folder);
  };
  try {
    kdc = await startKdc(join(folder, 'kdc'));
    for (const name of [`${superuser}/localhost`, 'dn/localhost', 'HTTP/localhost', tokenOwner]) {
      await kdc.addPrincipal(name);
    }
    cluster = await startHdfs({
      dataNodeCount: 2,
      configOverrides: secured(kdc.keytab),
      dataNodeOverrides: [{ 'dfs.encrypt.data.transfer.cipher.suites': 'AES/CTR/NoPadding' }],
      jvmFlags: [`-Djava.security.krb5.conf=${kdc.configFile}`],
    });
    const command = await commandOf(cluster, kdc);
    const { exitCode, stderr } = await command(
      fsShellClass,
      ['-chmod', '777', '/'],
      `${superuser}/localhost`,
    );
    if (exitCode !== 0) {
      throw new Error(`hdfs dfs -chmod ended with ${exitCode}: ${stderr}`);
    }
    const { dataNodes } = cluster;
    const started = cluster;
    return {
      folder,
      dataNodes,
      hdfsUrl: (path, userName) => started.hdfsUrl(path, userName),
      waitForLiveDataNodes: (count) => started.waitForLiveDataNodes(count),
      clientProperties: { 'hadoop.security.authentication': 'kerberos' },
      fetchToken: (file, userName, args = []) =>
        command(fetchTokenClass, [...args, file], userName),
      hdfsDfs: (args, userName) => command(fsShellClass, args, userName),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function secured(keytab: string): Readonly<Record<string, string>> {
  const http = `HTTP/localhost@${realm}`;
  return {
    'hadoop.security.authentication': 'kerberos',
    'hadoop.rpc.protection': allProtections,
    'dfs.data.transfer.protection': allProtections,
    'dfs.block.access.token.enable': 'true',
    'dfs.namenode.kerberos.principal': `${superuser}/localhost@${realm}`,
    'dfs.namenode.keytab.file': keytab,
    'dfs.namenode.kerberos.internal.spnego.principal': http,
    'dfs.datanode.kerberos.principal': `dn/localhost@${realm}`,
    'dfs.datanode.keytab.file': keytab,
    'dfs.web.authentication.kerberos.principal': http,
    'dfs.web.authentication.kerberos.keytab': keytab,
    // Else a DataNode asks for a port below 1024, or for TLS.
    'ignore.secure.ports.for.testing': 'true',
  };
}

async function commandOf(cluster: HdfsCluster, kdc: Kdc) {
  const jars = await hadoopJars();
  return (mainClass: string, args: readonly string[], principal: string): Promise<CommandResult> =>
    runHadoopCommand(
      javaArguments({
        jars,
        configFolder: cluster.configFolder,
        mainClass,
        arguments: args,
        jvmFlags: ['-Xshare:auto', `-Djava.security.krb5.conf=${kdc.configFile}`],
      }),
      undefined,
      { KRB5PRINCIPAL: `${principal}@${realm}`, KRB5KEYTAB: kdc.keytab },
    );
}
