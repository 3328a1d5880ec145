// The URL of a store by HDFS's own protocols:
//
//   hdfs://namenode:8020/user/vm/pars
//   hdfs://alice@nn1.example:8020,nn2.example:8020/pars     as a user, with two NameNodes of one name service
//
// Parsed by hand: the URL standard has no list of hosts. Secrets have no place in a URL, since URLs end up in logs, so
// user:password@ is refused, and the refusal does not repeat it.

import { ParsError } from '../../../introspect/pars-error.js';
import { decodedSegment, nameNodesOf } from '../hadoop/url-parts.js';

export interface HdfsUrl {
  /** `host:port` of each NameNode, in the given order. */
  readonly nameNodes: readonly string[];
  /** The store's root in HDFS, '' for '/', else '/a/b'. Not percent-encoded. */
  readonly rootPath: string;
  readonly userName: string | undefined;
  /** The URL in its normal form, ports written out. */
  readonly text: string;
}

export const hdfsUrlForm = 'hdfs://[USER@]HOST:PORT[,HOST:PORT]/PATH';

/** The port of a NameNode's RPC, unless dfs.namenode.rpc-address says otherwise. */
const defaultPort = 8020;

/** Throws `usage` for anything but the form above. */
export function parseHdfsUrl(text: string): HdfsUrl {
  const match = /^hdfs:\/\/(?:([^/?#]*)@)?([^/?#@]*)([^?#]*)(.*)$/s.exec(text);
  if (!match) {
    throw wrong('it does not begin with hdfs://');
  }
  const [, , authority, path, rest] = match;
  const user = match.at(1);
  if (rest !== '') {
    throw wrong('it has a query or a fragment');
  }
  if (user?.includes(':') === true) {
    throw wrong("it has a password before '@'");
  }
  const userName = user === undefined ? undefined : decodedSegment(user, wrong);
  if (userName === '') {
    throw wrong("it has no user before '@'");
  }
  const nameNodes = nameNodesOf(authority, defaultPort, wrong);
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => decodedSegment(segment, wrong));
  const encodedPath = segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
  const prefix = userName === undefined ? '' : `${encodeURIComponent(userName)}@`;
  return {
    nameNodes,
    rootPath: segments.map((segment) => `/${segment}`).join(''),
    userName,
    text: `hdfs://${prefix}${nameNodes.join(',')}${encodedPath === '' ? '/' : encodedPath}`,
  };
}

function wrong(found: string, cause?: unknown): ParsError {
  return new ParsError('usage', `the store's URL: ${found}; expected ${hdfsUrlForm}`, { cause });
}
