// Where DataNodes are reached from this machine. A NameNode sends to them by the names that they have in the cluster, which
// a client elsewhere may not know: containers, a cloud's inner names, a tunnel. Hadoop's own clients choose between name
// and address (dfs.client.use.datanode.hostname); over WebHDFS there is only the name, so it is mapped here.

/** `host` or `host:port` of HDFS to the same of here (url.ts). */
export type DataNodeMap = ReadonlyMap<string, string>;

export interface ReachedAt {
  readonly host: string;
  readonly port: string;
}

/** Undefined where the map does not have the node. A name with its port goes before a name alone. */
export function reachedAt(
  map: DataNodeMap,
  { protocol, hostname, port: givenPort }: Pick<URL, 'protocol' | 'hostname' | 'port'>,
): ReachedAt | undefined {
  const port = givenPort === '' ? (protocol === 'https:' ? '443' : '80') : givenPort;
  const target = map.get(`${hostname}:${port}`) ?? map.get(hostname);
  // The brackets of an IPv6 address are the URL's, not the address's.
  const match = target === undefined ? null : /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(target);
  return match === null ? undefined : { host: match[1], port: match.at(2) ?? port };
}
