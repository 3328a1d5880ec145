// Which VM a snapshot is of, apart from its name: from what the hypervisor and the host say of it, never from what stands in a
// file that somebody handed over.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { VmIdentity } from '../manifest/types.js';

/** An id that a user gives: `--vm-id`, PARS_VM_ID, vms.NAME.id. */
export const vmIdPattern = /^[\x21-\x7e]{1,128}$/;
export const vmIdForm = '1 to 128 printable characters without spaces';

/** All of the identity: a VM that moves among hosts is known again by it. */
export const givenIdentity = (id: string): VmIdentity => ({ id });

/** For a VM of which the host says no more. */
export const hostIdentity = (): VmIdentity => ({ host: hostName() });

/** For a VM with the UUID of its hypervisor. */
export const uuidIdentity = (uuid: string | undefined): VmIdentity =>
  uuid === undefined ? hostIdentity() : { uuid, host: hostName() };

/** For a VM that was captured through its QMP socket, which tells it from others where it has no UUID. */
export function liveIdentity({
  id,
  uuid,
  qmpPath,
}: {
  readonly id?: string | undefined;
  readonly uuid?: string | undefined;
  readonly qmpPath: string;
}): VmIdentity {
  if (id !== undefined) {
    return { id, ...uuidIdentity(uuid) };
  }
  return uuid === undefined
    ? { id: shortened('qmp', qmpPath), ...hostIdentity() }
    : uuidIdentity(uuid);
}

/** For a file that appeared in a folder: its owner's, in that folder. */
export const folderIdentity = (folder: string, ownerUid: bigint): VmIdentity => ({
  id: shortened(`dir:${ownerUid}`, folder),
  host: hostName(),
});

function hostName(): string {
  const name = hostname();
  return vmIdPattern.test(name) ? name : hashOf(name);
}

function shortened(kind: string, path: string): string {
  const whole = `${kind}:${path}`;
  return vmIdPattern.test(whole) ? whole : `${kind}:${hashOf(path)}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
