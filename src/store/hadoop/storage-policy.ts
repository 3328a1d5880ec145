// A folder's storage policy may ask for disks of a kind that the cluster lacks: COLD for ARCHIVE. HDFS then says of a new block
// only that no DataNode took it, in the same words as for nodes that are full or away.

import { ParsError } from '../../../introspect/pars-error.js';

export interface StoragePolicy {
  readonly name: string;
  readonly storageTypes: readonly string[];
  /** What a new file may lie on where the others are not to be had. */
  readonly creationFallbacks: readonly string[];
}

/** What every DataNode has unless it is told otherwise (dfs.datanode.data.dir). */
const usualType = 'DISK';

/**
 * The error to report in place of `error` for a new file that no DataNode took, when its folder's policy keeps it from usual
 * disks. `doing` is the operation and the path.
 */
export function refusalByPolicy(
  { name, storageTypes, creationFallbacks }: StoragePolicy,
  doing: string,
  error: unknown,
): ParsError | undefined {
  const types = [...storageTypes, ...creationFallbacks];
  if (types.includes(usualType)) {
    return undefined;
  }
  return new ParsError(
    'no-space',
    `${doing}: no DataNode has room for it on storage of the type ${types.join(' or ')}, which the storage policy ` +
      `${name} of its folder asks for; give the folder another policy (hdfs storagepolicies -setStoragePolicy), or ` +
      `the cluster such storage. HDFS's own words: ${(error as Error).message}`,
    { cause: error },
  );
}
