// The URL of a WebHDFS store:
//
//   webhdfs://namenode:9870/user/vm/pars
//   webhdfs://nn1.example:9870,nn2.example:9870/pars?user.name=alice     two NameNodes of one name service
//   swebhdfs://namenode:9871/pars                                        the same over TLS
//   webhdfs://nn:9870/pars?datanodes=dn1=10.0.0.5,dn2:9864=10.0.0.9:1864   DataNodes that are reached otherwise from here
//   swebhdfs://knox:8443/gateway/default/webhdfs/v1/pars                 a gateway: up to webhdfs/v1 is its path
//
// Parsed by hand: the URL standard has no list of hosts. Secrets have no place in a URL, since URLs end up in logs, so
// user:password@ and delegation= are refused, and the refusal does not repeat them.

import { ParsError } from '../../../introspect/pars-error.js';
import {
  type DataNodeMap,
  dataNodeMapOf,
  dataNodesParameter,
  decodedSegment,
  nameNodesOf,
} from '../hadoop/url-parts.js';

export interface WebHdfsUrl {
  readonly scheme: 'http' | 'https';
  /** `host:port` of each NameNode, in the given order. */
  readonly nameNodes: readonly string[];
  /** The store's root in HDFS, '' for '/', else '/a/b'. Not percent-encoded. */
  readonly rootPath: string;
  readonly userName: string | undefined;
  /** Where to reach a DataNode instead: `host` or `host:port` by the name, or name and port, that HDFS sends to. */
  readonly dataNodes: DataNodeMap;
  /** What stands before /webhdfs/v1 at a gateway: '' or '/gateway/default'. Not percent-encoded. */
  readonly gatewayPath: string;
  /** The URL in its normal form, ports written out. */
  readonly text: string;
}

export const webHdfsUrlForm =
  'webhdfs://HOST:PORT[,HOST:PORT]/PATH[?user.name=USER][&datanodes=NAME=ADDRESS,...], or swebhdfs:// for TLS';

/** The variable of the environment that has the delegation token with which the store authenticates. */
export const tokenVariable = 'PARS_WEBHDFS_TOKEN';
/** The parameter of a request's query that has the token. A store's URL that has it is refused. */
export const tokenParameter = 'delegation';

/** dfs.namenode.http-address and dfs.namenode.https-address of hdfs-default.xml. */
const defaultPorts = { webhdfs: 9870, swebhdfs: 9871 } as const;

/** Throws `usage` for anything but the form above. */
export function parseWebHdfsUrl(text: string): WebHdfsUrl {
  const match = /^(s?webhdfs):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(text);
  if (!match) {
    throw wrong('it does not begin with webhdfs:// or swebhdfs://');
  }
  const protocol = match[1] as keyof typeof defaultPorts;
  const [, , authority, path] = match;
  // Undefined where the URL has none, which the type of a match does not say.
  const query = match.at(4) ?? '';
  const fragment = match.at(5);
  if (fragment !== undefined) {
    throw wrong('it has a fragment');
  }
  if (authority.includes('@')) {
    throw wrong(`it has a user or password before '@'; the user is given as ?user.name=USER`);
  }

  const nameNodes = nameNodesOf(authority, defaultPorts[protocol], wrong);
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => decodedSegment(segment, wrong));
  const { userName, dataNodes } = parseQuery(query);
  const gatewayCount = gatewaySegmentCount(segments);

  const encodedPath = segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
  const encodedQuery = [
    ...(userName === undefined ? [] : [`user.name=${encodeURIComponent(userName)}`]),
    ...(dataNodes.size === 0 ? [] : [dataNodesParameter(dataNodes)]),
  ].join('&');
  return {
    scheme: protocol === 'webhdfs' ? 'http' : 'https',
    nameNodes,
    rootPath: pathOf(segments.slice(gatewayCount === undefined ? 0 : gatewayCount + 2)),
    userName,
    dataNodes,
    gatewayPath: pathOf(segments.slice(0, gatewayCount ?? 0)),
    text: `${protocol}://${nameNodes.join(',')}${encodedPath === '' ? '/' : encodedPath}${encodedQuery === '' ? '' : `?${encodedQuery}`}`,
  };
}

/** How many segments stand before webhdfs/v1, undefined where the path does not have it and is all of HDFS. */
function gatewaySegmentCount(segments: readonly string[]): number | undefined {
  const index = segments.findIndex(
    (segment, at) => segment === 'webhdfs' && segments.at(at + 1) === 'v1',
  );
  return index === -1 ? undefined : index;
}

function pathOf(segments: readonly string[]): string {
  return segments.map((segment) => `/${segment}`).join('');
}

function parseQuery(query: string): Pick<WebHdfsUrl, 'userName' | 'dataNodes'> {
  let userName: string | undefined;
  let dataNodes: DataNodeMap = new Map();
  for (const [key, value] of new URLSearchParams(query)) {
    if (key === tokenParameter) {
      throw wrong(
        'a delegation token does not belong into a URL; use the option or the environment',
      );
    }
    if (value === '') {
      throw wrong(`its ${key} is empty`);
    }
    if (key === 'user.name') {
      userName = value;
    } else if (key === 'datanodes') {
      dataNodes = dataNodeMapOf(value, wrong);
    } else {
      throw wrong(`its query has '${key}'; only user.name and datanodes are known`);
    }
  }
  return { userName, dataNodes };
}

function wrong(found: string, cause?: unknown): ParsError {
  return new ParsError('usage', `the store's URL: ${found}; expected ${webHdfsUrlForm}`, { cause });
}
