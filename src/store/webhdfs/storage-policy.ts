// What the storage policy of a folder says, for a new file that no DataNode took.

import { z } from 'zod';
import type { ParsError } from '../../../introspect/pars-error.js';
import { boundedArray } from '../../flow/bounded.js';
import { folderOf } from '../hadoop/namespace.js';
import { isRefusedByNodes } from '../hadoop/remote-exception.js';
import { refusalByPolicy } from '../hadoop/storage-policy.js';
import type { Operation, WebHdfsClient } from './client.js';

const storageType = z.string().max(64);
const storagePolicyAnswer = z.object({
  BlockStoragePolicy: z.object({
    name: z.string().max(256),
    storageTypes: boundedArray(storageType, 64),
    creationFallbacks: boundedArray(storageType, 64),
  }),
});

/** The error to report for a new file that no DataNode took when its folder's policy keeps it from usual disks. */
export async function refusedByPolicy(
  client: WebHdfsClient,
  { op, path, signal }: Operation,
  error: unknown,
): Promise<ParsError | undefined> {
  if (!isRefusedByNodes(error)) {
    return undefined;
  }
  const folder = folderOf(path);
  const { BlockStoragePolicy: policy } = await client.ask(
    { method: 'GET', op: 'GETSTORAGEPOLICY', path: folder, signal },
    storagePolicyAnswer,
  );
  return refusalByPolicy(policy, `${op} ${path}`, error);
}
