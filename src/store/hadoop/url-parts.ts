// Parts of the URLs of stores in HDFS: NameNodes, DataNodes that are reached otherwise from here, and segments of a path.

/** Makes the error for what was found and does not belong there. */
export type WrongUrl = (found: string, cause?: unknown) => Error;

/** `host:port` of each NameNode of a list, in its order. */
export function nameNodesOf(
  authority: string,
  defaultPort: number,
  wrong: WrongUrl,
): readonly string[] {
  const nameNodes = authority.split(',').map((item) => hostAndPort(item, defaultPort, wrong));
  if (new Set(nameNodes).size < nameNodes.length) {
    throw wrong('it lists a NameNode twice');
  }
  return nameNodes;
}

/** A segment of a path, or a name, without its percent-encoding. */
export function decodedSegment(segment: string, wrong: WrongUrl): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw wrong(`the percent-encoding of '${segment}' is wrong`, cause);
  }
  // HDFS takes neither (DFSUtilClient.isValidName), nor a slash or colon within a segment.
  if (decoded === '.' || decoded === '..' || /[/:\0]/.test(decoded)) {
    throw wrong(`'${segment}' cannot be part of an HDFS path`);
  }
  return decoded;
}

function hostAndPort(item: string, defaultPort: number, wrong: WrongUrl): string {
  const match = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(item);
  const port = Number(match?.at(2) ?? defaultPort);
  if (!match || port === 0 || port > 65535) {
    throw wrong(`'${item}' is not HOST:PORT`);
  }
  return `${match[1].toLowerCase()}:${port}`;
}

/**
 * Where to reach a DataNode from this machine, which may not know the names or addresses by which the NameNode sends to it
 * (containers, a cloud's inner names, a tunnel): `host` or `host:port` of HDFS to the same of here.
 */
export type DataNodeMap = ReadonlyMap<string, string>;

const placePattern = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

/** NAME=ADDRESS,..., each with a port or without: the port of a name stays where its address has none. */
export function dataNodeMapOf(text: string, wrong: WrongUrl): DataNodeMap {
  const map = new Map<string, string>();
  for (const item of text.toLowerCase().split(',')) {
    const places = item.split('=');
    if (places.length !== 2 || !places.every(isPlace)) {
      throw wrong(`'${item}' of its datanodes is not NAME[:PORT]=ADDRESS[:PORT]`);
    }
    const [name, address] = places;
    if (map.has(name)) {
      throw wrong(`its datanodes have ${name} twice`);
    }
    map.set(name, address);
  }
  return map;
}

function isPlace(text: string): boolean {
  const match = placePattern.exec(text);
  if (match === null) {
    return false;
  }
  const port = match.at(1);
  return port === undefined || (Number(port) > 0 && Number(port) <= 65535);
}

/** As the map is written in a URL. */
export function dataNodesParameter(map: DataNodeMap): string {
  return `datanodes=${[...map].map((entry) => entry.join('=')).join(',')}`;
}

export interface MappedAddress {
  readonly host: string;
  readonly port: string;
}

/** Undefined where the map does not have the node. A name with its port goes before a name alone. */
export function mappedAddress(
  map: DataNodeMap,
  hostname: string,
  port: string,
): MappedAddress | undefined {
  const target = map.get(`${hostname}:${port}`) ?? map.get(hostname);
  // The brackets of an IPv6 address are the URL's, not the address's.
  const match = target === undefined ? null : /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(target);
  return match === null ? undefined : { host: match[1], port: match.at(2) ?? port };
}
