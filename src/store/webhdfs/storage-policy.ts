// A folder's storage policy may ask for disks of a kind that the cluster lacks: COLD for ARCHIVE. HDFS then says of a new block
// only that no DataNode took it, in the same words as for nodes that are full or away.

import { z } from 'zod';

import { ParsError } from '../../../introspect/pars-error.js';
import { boundedArray } from '../../flow/bounded.js';
import type { Operation, WebHdfsClient } from './client.js';
import { isRefusedByNodes } from './remote-exception.js';

const storageType = z.string().max(64);
const storagePolicyAnswer = z.object({
  BlockStoragePolicy: z.object({
    name: z.string().max(256),
    storageTypes: boundedArray(storageType, 64),
    /** What a new file may lie on where the others are not to be had. */
    creationFallbacks: boundedArray(storageType, 64),
  }),
});

/** What every DataNode has unless it is told otherwise (dfs.datanode.data.dir). */
const usualType = 'DISK';

/** For a new file that no DataNode took: the error to report when its folder's policy keeps it from usual disks. */
export async function refusedByPolicy(
  client: WebHdfsClient,
  { op, path, signal }: Operation,
  error: unknown,
): Promise<ParsError | undefined> {
  if (!isRefusedByNodes(error)) return undefined;
  const folder = path.slice(0, path.lastIndexOf('/'));
  const { BlockStoragePolicy: policy } = await client.ask(
    { method: 'GET', op: 'GETSTORAGEPOLICY', path: folder, signal },
    storagePolicyAnswer,
  );
  const types = [...policy.storageTypes, ...policy.creationFallbacks];
  if (types.includes(usualType)) return undefined;
  return new ParsError(
    'no-space',
    `${op} ${path}: no DataNode has room for it on storage of the type ${types.join(' or ')}, which the storage policy ` +
      `${policy.name} of its folder asks for; give the folder another policy (hdfs storagepolicies -setStoragePolicy), or ` +
      `the cluster such storage. HDFS's own words: ${(error as Error).message}`,
    { cause: error },
  );
}
