// Which token of a file is for a cluster, and whose it is.
//
// A token says which service gave it: `address:port` of the NameNode, or `ha-hdfs:NAME` of a name service with several. Its
// identifier (AbstractDelegationTokenIdentifier) begins with a version and the owner, alice@REALM.

import { lookup } from 'node:dns/promises';
import { open } from 'node:fs/promises';
import { ParsError } from '../../../../introspect/pars-error.js';
import { addressOf, hostPortOf } from '../net/host-port.js';
import type { Token } from '../proto/security.js';
import { maxTokenFileBytes, parseTokenFile } from './token-file.js';

export const tokenFileVariable = 'HADOOP_TOKEN_FILE_LOCATION';
const tokenKind = 'HDFS_DELEGATION_TOKEN';
const nameServicePrefix = 'ha-hdfs:';

/** Throws `usage` for a file that is not there or has no tokens in it, `permission-denied` for one that may not be read. */
export async function readTokenFile(path: string): Promise<readonly Token[]> {
  const where = `${tokenFileVariable}, ${path}`;
  try {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      // One more than is read, so that a longer one is seen.
      const bytes = Buffer.alloc(Math.min(size, maxTokenFileBytes + 1));
      const { bytesRead } = await handle.read(bytes);
      return parseTokenFile(bytes.subarray(0, bytesRead), where);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof ParsError) {
      throw cause;
    }
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ParsError(
      code === 'EACCES' ? 'permission-denied' : 'usage',
      `${where}: expected a file of tokens, which hdfs fetchdt writes: ${message}`,
      { cause },
    );
  }
}

/** Undefined where none of the tokens is for these NameNodes. `service` is the name by which they are known, if any. */
export async function findDelegationToken(
  tokens: readonly Token[],
  nameNodes: readonly string[],
  service: string | undefined,
): Promise<Token | undefined> {
  const ours = tokens.filter(({ kind }) => kind === tokenKind);
  if (ours.length === 0) {
    return undefined;
  }
  const names = [
    ...(service === undefined ? [] : [`${nameServicePrefix}${service}`]),
    ...(await servicesOf(nameNodes)),
  ];
  const found = names.map((name) => ours.find((token) => token.service === name));
  // NameNodes that are listed one by one have a name as well, which the list does not say.
  const ofServices = ours.filter((token) => token.service.startsWith(nameServicePrefix));
  const isUnnamedService = service === undefined && nameNodes.length > 1;
  const only = isUnnamedService && ofServices.length === 1 ? ofServices[0] : undefined;
  return found.find((token) => token !== undefined) ?? only;
}

/** By address, as Hadoop writes them, and by name, where hadoop.security.token.service.use_ip is false. */
async function servicesOf(nameNodes: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    nameNodes.map(async (nameNode) => {
      const { host, port } = addressOf(nameNode);
      const addresses = await lookup(host, { all: true }).catch(() => []);
      return [nameNode, ...addresses.map(({ address }) => hostPortOf(address, port))];
    }),
  );
  return found.flat();
}

/** The short name of the user that the token is for; undefined where its identifier is not read. */
export function ownerOf({ identifier }: Token): string | undefined {
  if (identifier.length < 2) {
    return undefined;
  }
  // A version, 0, and the length of the owner's name, which is short.
  const [version, sizeBytes] = identifier;
  if (version !== 0 || sizeBytes > 127 || sizeBytes > identifier.length - 2) {
    return undefined;
  }
  const owner = Buffer.from(identifier.subarray(2, 2 + sizeBytes)).toString();
  return owner.split(/[/@]/, 1)[0];
}
