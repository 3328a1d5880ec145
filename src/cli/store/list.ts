// pars list: the snapshots of a store, oldest first.
import type { Command } from 'commander';
import type { ParsError } from '../../../introspect/pars-error.js';
import { visitSnapshots } from '../../catalog/catalog.js';
import { clashSentences } from '../../catalog/vm-identity.js';
import { olderFirst } from '../../manifest/snapshot-order.js';
import type { ManifestHeader } from '../../manifest/types.js';
import { openStore } from '../../store/open-store.js';
import { redundancyOf, storedBytes } from '../../store/redundancy.js';
import { exitCodeOfUnreadable } from '../shared/exit-code.js';
import { formatBytes, formatTable, formatTime } from '../shared/format.js';
import { jsonOption } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';

export interface ListOptions extends CommonOptions {
  readonly store: string;
}

export function configure(command: Command): void {
  command
    .addOption(storeOption().makeOptionMandatory())
    .addOption(jsonOption())
    .action((options: ListOptions) =>
      runCommand(options, (context) => listCommand(options, context)),
    );
}

export async function listCommand(
  options: ListOptions,
  { print, warn, signal }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const found: Listed[] = [];
    const errors: ParsError[] = [];
    await visitSnapshots(
      store,
      {
        snapshot: ({ header, manifestSizeBytes }) => {
          found.push(listedOf(header, manifestSizeBytes));
        },
        unreadable: (id, error) => {
          errors.push(error);
          warn(`snapshot ${id} cannot be read: ${error.message}`);
        },
      },
      signal,
    );
    found.sort(olderFirst);
    clashSentences(
      found.map(({ summary: { vm, identity } }) => ({ vm, identity: identity ?? undefined })),
    ).forEach(warn);
    print(
      found.map(({ summary }) => summary),
      () =>
        formatTable(
          ['id', 'vm', 'created', 'image', 'on disks', 'kernel'],
          found.map(({ createdMs, summary }) => [
            summary.id,
            summary.vm,
            formatTime(createdMs),
            formatBytes(summary.imageSizeBytes),
            formatBytes(summary.diskBytes),
            summary.guest?.release ?? '-',
          ]),
          ['left', 'left', 'left', 'right', 'right', 'left'],
        ),
    );
    return exitCodeOfUnreadable(errors);
  } finally {
    await store.close();
  }
}

/** What is kept of a snapshot. Its header is let go: the packs that it names are most of it. */
interface Listed {
  readonly id: string;
  readonly createdMs: number;
  readonly summary: ReturnType<typeof summaryOf>;
}

function listedOf(header: ManifestHeader, manifestSizeBytes: number): Listed {
  return {
    id: header.id,
    createdMs: header.createdMs,
    summary: summaryOf(header, manifestSizeBytes),
  };
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

/** All copies of all packs, or units, as asked for. */
export function diskBytes({ packs }: ManifestHeader): number {
  return packs.reduce(
    (sum, { sizeBytes, ...pack }) => sum + storedBytes(redundancyOf(pack), sizeBytes),
    0,
  );
}
