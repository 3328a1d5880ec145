// The URL of a store by HDFS's own protocols:
//
//   hdfs://namenode:8020/user/vm/pars
//   hdfs://alice@nn1.example:8020,nn2.example:8020/pars     as a user, with two NameNodes of one name service
//   hdfs://cluster/pars                                     a name service of Hadoop's configuration, else a host
//   hdfs:///pars                                            what fs.defaultFS of Hadoop's configuration says
//   hdfs://nn:8020/pars?datanodes=dn1=10.0.0.5              DataNodes that are reached otherwise from here
//
// Parsed by hand: the URL standard has no list of hosts. Secrets have no place in a URL, since URLs end up in logs, so
// user:password@ is refused, and the refusal does not repeat it. Whom a name stands for is found out by cluster.ts.

import { ParsError } from '../../../introspect/pars-error.js';
import { defaultRpcPort } from '../hadoop/configuration/name-services.js';
import {
  type DataNodeMap,
  dataNodeMapOf,
  dataNodesParameter,
  decodedSegment,
  nameNodesOf,
} from '../hadoop/url-parts.js';

/** Whom a URL names. */
export type Authority =
  /** `host:port` of each NameNode, in the given order. */
  | { readonly kind: 'name-nodes'; readonly nameNodes: readonly string[] }
  /** A name service, or a host whose port is the usual one. As it is written. */
  | { readonly kind: 'name'; readonly name: string }
  /** Nobody: the configuration's default. */
  | { readonly kind: 'default' };

export interface HdfsUrlParts {
  readonly authority: Authority;
  /** The store's root in HDFS, '' for '/', else '/a/b'. Not percent-encoded. */
  readonly rootPath: string;
  readonly userName: string | undefined;
  readonly dataNodes: DataNodeMap;
}

export interface HdfsUrl extends HdfsUrlParts {
  /** The URL in its normal form, with ports written out where hosts are listed. */
  readonly text: string;
}

export const hdfsUrlForm =
  'hdfs://[USER@]HOST:PORT[,HOST:PORT]/PATH[?datanodes=NAME=ADDRESS,...], hdfs://[USER@]NAMESERVICE/PATH or hdfs:///PATH';

/** Throws `usage` for anything but the forms above. */
export function parseHdfsUrl(text: string): HdfsUrl {
  const match = /^hdfs:\/\/(?:([^/?#]*)@)?([^/?#@]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(text);
  if (!match) {
    throw wrong('it does not begin with hdfs://');
  }
  const [, , authority, path] = match;
  const user = match.at(1);
  if (match.at(5) !== undefined) {
    throw wrong('it has a fragment');
  }
  if (user?.includes(':') === true) {
    throw wrong("it has a password before '@'");
  }
  const userName = user === undefined ? undefined : decodedSegment(user, wrong);
  if (userName === '') {
    throw wrong("it has no user before '@'");
  }
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => decodedSegment(segment, wrong));
  const parts = {
    authority: parseAuthority(authority),
    rootPath: segments.map((segment) => `/${segment}`).join(''),
    userName,
    dataNodes: parseQuery(match.at(4) ?? ''),
  };
  return { ...parts, text: hdfsUrlText(parts) };
}

export function hdfsUrlText({ authority, rootPath, userName, dataNodes }: HdfsUrlParts): string {
  const user = userName === undefined ? '' : `${encodeURIComponent(userName)}@`;
  const path = rootPath === '' ? '/' : rootPath.split('/').map(encodeURIComponent).join('/');
  const query = dataNodes.size === 0 ? '' : `?${dataNodesParameter(dataNodes)}`;
  return `hdfs://${user}${authorityText(authority)}${path}${query}`;
}

/** Throws `usage` where it is no list of hosts and no name. */
export function parseAuthority(text: string): Authority {
  if (text === '') {
    return { kind: 'default' };
  }
  if (/^[A-Za-z0-9._-]+$/.test(text)) {
    return { kind: 'name', name: text };
  }
  return { kind: 'name-nodes', nameNodes: nameNodesOf(text, defaultRpcPort, wrong) };
}

function authorityText(authority: Authority): string {
  switch (authority.kind) {
    case 'name-nodes':
      return authority.nameNodes.join(',');
    case 'name':
      return authority.name;
    case 'default':
      return '';
  }
}

function parseQuery(query: string): DataNodeMap {
  let dataNodes: DataNodeMap = new Map();
  for (const [key, value] of new URLSearchParams(query)) {
    if (key !== 'datanodes') {
      throw wrong(`its query has '${key}'; only datanodes is known`);
    }
    dataNodes = dataNodeMapOf(value, wrong);
  }
  return dataNodes;
}

function wrong(found: string, cause?: unknown): ParsError {
  return new ParsError('usage', `the store's URL: ${found}; expected ${hdfsUrlForm}`, { cause });
}
