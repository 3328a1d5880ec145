// Parts of the URLs of stores in HDFS: NameNodes, and segments of a path.

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
