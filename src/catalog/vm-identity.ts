// Which VM a snapshot is of. A name is what people call it, and two VMs may have one; so snapshots are counted together only
// where the name and all of the recorded identity are the same. What has no identity is a VM of its own under its name.
import type { VmIdentity } from '../manifest/types.js';

/** The name of a snapshot's VM, and what tells it from others of that name. */
export interface NamedVm {
  readonly vm: string;
  readonly identity?: VmIdentity | undefined;
}

/** Equal for two snapshots of one VM, and for no others. */
export function vmKey({ vm, identity }: NamedVm): string {
  return JSON.stringify([vm, identity?.uuid, identity?.id, identity?.host]);
}

export function identityText(identity: VmIdentity | undefined): string {
  if (identity === undefined) {
    return 'no identity';
  }
  const { uuid, id, host } = identity;
  return [
    ...(id === undefined ? [] : [`id ${id}`]),
    ...(uuid === undefined ? [] : [`UUID ${uuid}`]),
    ...(host === undefined ? [] : [`host ${host}`]),
  ].join(', ');
}

/** A sentence for each name that more than one VM has. */
export function clashSentences(snapshots: readonly NamedVm[]): readonly string[] {
  const byName = new Map<string, Map<string, VmIdentity | undefined>>();
  for (const snapshot of snapshots) {
    const known = byName.get(snapshot.vm) ?? new Map<string, VmIdentity | undefined>();
    byName.set(snapshot.vm, known.set(vmKey(snapshot), snapshot.identity));
  }
  return [...byName].flatMap(([vm, identities]) =>
    identities.size < 2
      ? []
      : [
          `${identities.size} VMs are called ${vm}, and each is kept by itself: ` +
            shownIdentities([...identities.values()]),
        ],
  );
}

/** How many identities of a long list a message shows. */
const maxShownCount = 10;

function shownIdentities(identities: readonly (VmIdentity | undefined)[]): string {
  const rest = identities.length - maxShownCount;
  return [
    ...identities.slice(0, maxShownCount).map((identity) => `(${identityText(identity)})`),
    ...(rest > 0 ? [`${rest} more`] : []),
  ].join(', ');
}
