// pars list: the snapshots of a store, oldest first.
import { listSnapshots } from '../catalog/catalog.js';
import { clashSentences } from '../catalog/vm-identity.js';
import type { ManifestHeader } from '../manifest/types.js';
import { openStore } from '../store/open-store.js';
import { exitCodeOfUnreadable } from './exit-code.js';
import { formatBytes, formatTable, formatTime } from './format.js';
import type { CommandContext, CommonOptions } from './run-command.js';

export interface ListOptions extends CommonOptions {
  readonly store: string;
}

export async function listCommand(
  options: ListOptions,
  { print, warn, signal }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const { snapshots, unreadable } = await listSnapshots(store, signal);
    for (const { id, error } of unreadable) {
      warn(`snapshot ${id} cannot be read: ${error.message}`);
    }
    clashSentences(snapshots.map(({ header }) => header)).forEach(warn);
    print(
      snapshots.map(({ header, manifestSizeBytes }) => summaryOf(header, manifestSizeBytes)),
      () =>
        formatTable(
          ['id', 'vm', 'created', 'image', 'on disks', 'kernel'],
          snapshots.map(({ header }) => [
            header.id,
            header.vm,
            formatTime(header.createdMs),
            formatBytes(header.imageSizeBytes),
            formatBytes(diskBytes(header)),
            header.guest?.release ?? '-',
          ]),
          ['left', 'left', 'left', 'right', 'right', 'left'],
        ),
    );
    return exitCodeOfUnreadable(unreadable.map(({ error }) => error));
  } finally {
    await store.close();
  }
}

/** What programs are told of a snapshot without its columns. */
export function summaryOf(header: ManifestHeader, manifestSizeBytes: number) {
  const { id, vm, identity, createdMs, imageSizeBytes, evidence, guest, labelCounts, packs } =
    header;
  return {
    id,
    vm,
    identity: identity ?? null,
    created: new Date(createdMs).toISOString(),
    imageSizeBytes,
    evidence,
    guest,
    labelCounts,
    packCount: packs.length,
    diskBytes: diskBytes(header),
    manifestSizeBytes,
  };
}

/** All copies of all packs, as asked for. */
export function diskBytes({ packs }: ManifestHeader): number {
  return packs.reduce((sum, pack) => sum + pack.sizeBytes * pack.replication, 0);
}
