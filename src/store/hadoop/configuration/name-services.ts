// Name services: clusters that clients know by one name, with the NameNodes behind it.
//
//   dfs.nameservices                     ns, other
//   dfs.ha.namenodes.ns                  nn1, nn2                  several NameNodes, of which one is active
//   dfs.namenode.rpc-address.ns.nn1      host1:8020
//   dfs.namenode.rpc-address.other       host3:8020                one NameNode

import { nameNodesOf } from '../url-parts.js';
import type { Configuration } from './configuration.js';

export const defaultRpcPort = 8020;

/**
 * `host:port` of each NameNode of the name service, in the order of the configuration; undefined where it knows none by this
 * name. Throws `usage`, with the property, where it does and does not say which NameNodes these are.
 */
export function nameNodesOfService(
  configuration: Configuration,
  service: string,
): readonly string[] | undefined {
  const idsProperty = `dfs.ha.namenodes.${service}`;
  const ids = configuration.list(idsProperty);
  if (ids.length === 0 && !configuration.list('dfs.nameservices').includes(service)) {
    return undefined;
  }
  const addressOf = (property: string): string => {
    const address = configuration.text(property);
    if (address === undefined) {
      throw configuration.wrong(
        property,
        `expected the host:port of a NameNode of ${service}, found none`,
      );
    }
    const found = nameNodesOf(address, defaultRpcPort, (problem) =>
      configuration.wrong(property, `${problem}, the address of a NameNode of ${service}`),
    );
    if (found.length > 1) {
      throw configuration.wrong(property, `expected one host:port, found ${address}`);
    }
    return found[0];
  };
  const property = `dfs.namenode.rpc-address.${service}`;
  const nameNodes =
    ids.length === 0 ? [addressOf(property)] : ids.map((id) => addressOf(`${property}.${id}`));
  const twice = nameNodes.find((nameNode, index) => nameNodes.indexOf(nameNode) < index);
  if (twice !== undefined) {
    throw configuration.wrong(idsProperty, `two of its NameNodes have the address ${twice}`);
  }
  return nameNodes;
}

/** What stands between hdfs:// and the path in fs.defaultFS. Throws `usage` where that is not HDFS. */
export function defaultAuthority(configuration: Configuration): string {
  const property = 'fs.defaultFS';
  const url = configuration.text(property);
  const match = /^hdfs:\/\/([^/?#@]+)(?:\/.*)?$/i.exec(url ?? '');
  if (match === null) {
    throw configuration.wrong(
      property,
      `expected hdfs://HOST:PORT or hdfs://NAMESERVICE, which a URL without a host stands for, found ${url ?? 'nothing'}`,
    );
  }
  return match[1];
}
