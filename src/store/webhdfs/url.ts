// The URL of a WebHDFS store:
//
//   webhdfs://namenode:9870/user/vm/pars
//   webhdfs://nn1.example:9870,nn2.example:9870/pars?user.name=alice     two NameNodes of one name service
//   swebhdfs://namenode:9871/pars                                        the same over TLS
//
// Parsed by hand: the URL standard has no list of hosts. Secrets have no place in a URL, since URLs end up in logs, so
// user:password@ and delegation= are refused, and the refusal does not repeat them.

import { ParsError } from '../../../introspect/pars-error.js';

export interface WebHdfsUrl {
  readonly scheme: 'http' | 'https';
  /** `host:port` of each NameNode, in the given order. */
  readonly nameNodes: readonly string[];
  /** The store's root in HDFS, '' for '/', else '/a/b'. Not percent-encoded. */
  readonly rootPath: string;
  readonly userName: string | undefined;
  /** The URL in its normal form, ports written out. */
  readonly text: string;
}

export const webHdfsUrlForm =
  'webhdfs://HOST:PORT[,HOST:PORT]/PATH[?user.name=USER], or swebhdfs:// for TLS';

/** dfs.namenode.http-address and dfs.namenode.https-address of hdfs-default.xml. */
const defaultPorts = { webhdfs: 9870, swebhdfs: 9871 } as const;

/** Throws `usage` for anything but the form above. */
export function parseWebHdfsUrl(text: string): WebHdfsUrl {
  const match = /^(s?webhdfs):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(text);
  if (!match) throw wrong('it does not begin with webhdfs:// or swebhdfs://');
  const protocol = match[1] as keyof typeof defaultPorts;
  const [, , authority, path] = match;
  // Undefined where the URL has none, which the type of a match does not say.
  const query = match.at(4) ?? '';
  const fragment = match.at(5);
  if (fragment !== undefined) throw wrong('it has a fragment');
  if (authority.includes('@')) {
    throw wrong(`it has a user or password before '@'; the user is given as ?user.name=USER`);
  }

  const nameNodes = authority.split(',').map((item) => hostAndPort(item, defaultPorts[protocol]));
  if (new Set(nameNodes).size < nameNodes.length) throw wrong('it lists a NameNode twice');
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodedSegment);
  const userName = userNameOf(query);

  const encodedPath = segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
  const encodedUser = userName === undefined ? '' : `?user.name=${encodeURIComponent(userName)}`;
  return {
    scheme: protocol === 'webhdfs' ? 'http' : 'https',
    nameNodes,
    rootPath: segments.map((segment) => `/${segment}`).join(''),
    userName,
    text: `${protocol}://${nameNodes.join(',')}${encodedPath === '' ? '/' : encodedPath}${encodedUser}`,
  };
}

function hostAndPort(item: string, defaultPort: number): string {
  const match = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(item);
  const port = Number(match?.at(2) ?? defaultPort);
  if (!match || port === 0 || port > 65535) {
    throw wrong(`'${item}' is not HOST:PORT`);
  }
  return `${match[1].toLowerCase()}:${port}`;
}

function decodedSegment(segment: string): string {
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

function userNameOf(query: string): string | undefined {
  let userName: string | undefined;
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === 'delegation') {
      throw wrong(
        'a delegation token does not belong into a URL; use the option or the environment',
      );
    }
    if (key !== 'user.name') throw wrong(`its query has '${key}'; only user.name is known`);
    if (value === '') throw wrong('its user.name is empty');
    userName = value;
  }
  return userName;
}

function wrong(found: string, cause?: unknown): ParsError {
  return new ParsError('usage', `the store's URL: ${found}; expected ${webHdfsUrlForm}`, { cause });
}
