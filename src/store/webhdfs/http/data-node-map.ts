// Where the DataNode of a redirect is reached from this machine. Hadoop's own clients choose between name and address
// (dfs.client.use.datanode.hostname); over WebHDFS there is only the name, so it is mapped by the store's URL.

import { type DataNodeMap, type MappedAddress, mappedAddress } from '../../hadoop/url-parts.js';

/** Undefined where the map does not have the node. */
export function reachedAt(
  map: DataNodeMap,
  { protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>,
): MappedAddress | undefined {
  const defaultPort = protocol === 'https:' ? '443' : '80';
  return mappedAddress(map, hostname, port === '' ? defaultPort : port);
}
