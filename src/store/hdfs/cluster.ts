// Whom a store's URL stands for: its NameNodes, and what this machine's configuration of Hadoop says of how they and the DataNodes
// are talked to. Where there is no such configuration, Hadoop's own defaults hold.

import { lookup } from 'node:dns/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import type { Configuration } from '../hadoop/configuration/configuration.js';
import { configurationFolders, type Environment } from '../hadoop/configuration/folder.js';
import {
  defaultAuthority,
  defaultRpcPort,
  nameNodesOfService,
} from '../hadoop/configuration/name-services.js';
import { readConfiguration } from '../hadoop/configuration/read-configuration.js';
import { networkCode } from '../hadoop/network-code.js';
import {
  type Protection,
  protectionsOf,
  rpcProtectionProperty,
  transferProtectionProperty,
} from './security/protection.js';
import { type Authority, type HdfsUrl, hdfsUrlText, parseAuthority } from './url.js';

export interface Cluster {
  /** `host:port` of each NameNode. */
  readonly nameNodes: readonly string[];
  /** The name that clients know them by, where they were found by it. */
  readonly service: string | undefined;
  /** The store's URL, which has a host or a name in any case. */
  readonly url: string;
  /** hadoop.security.authentication is kerberos: the cluster knows its users by more than the name they give. */
  readonly isSecured: boolean;
  /** ipc.client.fallback-to-simple-auth-allowed. */
  readonly mayFallBack: boolean;
  /** hadoop.rpc.protection, best liked first; undefined where it is not set. */
  readonly rpcProtections: readonly Protection[] | undefined;
  /** dfs.data.transfer.protection, likewise. */
  readonly transferProtections: readonly Protection[] | undefined;
  /** dfs.client.use.datanode.hostname: DataNodes are reached by their names, and not by the addresses the NameNode saw. */
  readonly usesHostnames: boolean;
}

/** Throws `usage`, with what was looked for and where, for a name that stands for nobody and a configuration that is wrong. */
export async function findCluster(url: HdfsUrl, environment: Environment): Promise<Cluster> {
  const configuration = await readConfiguration(environment);
  const authority =
    url.authority.kind === 'default' ? parseAuthority(defaultOf(configuration)) : url.authority;
  return {
    ...(await nameNodesOf(authority, configuration)),
    url: hdfsUrlText({ ...url, authority }),
    isSecured: configuration?.text('hadoop.security.authentication') === 'kerberos',
    mayFallBack: configuration?.flag('ipc.client.fallback-to-simple-auth-allowed', false) ?? false,
    rpcProtections: configuration && protectionsOf(configuration, rpcProtectionProperty),
    transferProtections: configuration && protectionsOf(configuration, transferProtectionProperty),
    usesHostnames: configuration?.flag('dfs.client.use.datanode.hostname', false) ?? false,
  };
}

function defaultOf(configuration: Configuration | undefined): string {
  if (configuration === undefined) {
    throw new ParsError(
      'usage',
      `the store's URL names no host, and there is no configuration of Hadoop that has a default: expected ${configurationFolders}`,
    );
  }
  return defaultAuthority(configuration);
}

async function nameNodesOf(
  authority: Authority,
  configuration: Configuration | undefined,
): Promise<Pick<Cluster, 'nameNodes' | 'service'>> {
  if (authority.kind === 'name-nodes') {
    return { nameNodes: authority.nameNodes, service: undefined };
  }
  const name = authority.kind === 'name' ? authority.name : '';
  const nameNodes = configuration && nameNodesOfService(configuration, name);
  if (nameNodes !== undefined) {
    return { nameNodes, service: name };
  }
  await expectHost(name, configuration);
  return { nameNodes: [`${name.toLowerCase()}:${defaultRpcPort}`], service: undefined };
}

/** A name that is no host's was meant as a name service. */
async function expectHost(name: string, configuration: Configuration | undefined): Promise<void> {
  try {
    await lookup(name);
  } catch (cause) {
    if (networkCode(cause) !== 'ENOTFOUND') {
      // Whoever connects will say so.
      return;
    }
    const looked =
      configuration === undefined
        ? `there is no configuration of Hadoop (${configurationFolders})`
        : `neither dfs.nameservices nor dfs.ha.namenodes.${name} of ${configuration.folder} has it`;
    throw new ParsError(
      'usage',
      `the store's URL: expected a host or a name service, found '${name}': no host has this name, and ${looked}`,
      { cause },
    );
  }
}
