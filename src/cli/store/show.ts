// pars show ID: what a manifest says of one snapshot.
import type { Command } from 'commander';
import {
  loadManifest,
  replicationBeside,
  resolveId,
  visitSnapshots,
} from '../../catalog/catalog.js';
import { clashSentences, identityText, type NamedVm } from '../../catalog/vm-identity.js';
import { disksToBeGiven } from '../../loss/disks-to-be-given.js';
import { olderFirst } from '../../manifest/snapshot-order.js';
import { notStoredOf, ramOf } from '../../manifest/space/spaces.js';
import type { AddressSpace, HashedFile, ManifestHeader, PackEntry } from '../../manifest/types.js';
import { openStore } from '../../store/open-store.js';
import { ecPolicyName } from '../../store/redundancy.js';
import type { Store } from '../../store/store.js';
import { exitCodes } from '../shared/exit-code.js';
import { formatBytes, formatTable, formatTime } from '../shared/format.js';
import { jsonOption, snapshotMeaning } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import { diskBytes } from './list.js';

export interface ShowOptions extends CommonOptions {
  readonly store: string;
}

export function configure(command: Command): void {
  command
    .argument('<id>', snapshotMeaning)
    .addOption(storeOption().makeOptionMandatory())
    .addOption(jsonOption())
    .action((id: string, options: ShowOptions) =>
      runCommand(options, (context) => showCommand(id, options, context)),
    );
}

export async function showCommand(
  prefix: string,
  options: ShowOptions,
  { print, warn, signal }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const { header, spaces } = await loadManifest(store, await resolveId(store, prefix), signal);
    const attachments = header.attachments.map(shown);
    const bodies = header.bodies.map(shown);
    const pageHashes = header.pageHashes.map(shown);
    clashSentences(await namesakes(store, header.vm, signal)).forEach(warn);
    print(
      {
        ...header,
        packs: header.packs.map(shownPack),
        identity: header.identity ?? null,
        parent: header.parent ?? null,
        attachments,
        bodies,
        pageHashes,
        spaces: spaces.map((space) => {
          const { disks, page } = (space.kind === 'ram' ? space.diskHeld : undefined) ?? {};
          return {
            kind: space.kind,
            name: space.name,
            pageSizeBytes: space.pageSizeBytes,
            regions: space.regions,
            placeCount: space.places.window.length,
            disk: space.kind === 'disk' ? space.disk : null,
            notStored: notStoredOf(space).map((label) => header.legend[label]),
            diskHeld: { disks: disks ?? [], pageCount: page?.length ?? 0 },
          };
        }),
      },
      () => [
        `snapshot   ${header.id}`,
        `vm         ${header.vm}`,
        `identity   ${header.identity === undefined ? '-' : identityText(header.identity)}`,
        `created    ${formatTime(header.createdMs)}`,
        `kernel     ${header.guest === null ? '-' : `${header.guest.release} ${header.guest.buildId}`}`,
        `evidence   ${header.evidence}`,
        `image      ${formatBytes(header.imageSizeBytes)}`,
        `on disks   ${formatBytes(diskBytes(header))} in ${header.packs.length} packs`,
        ...spaces.flatMap(diskLines),
        ...neededLines(header, spaces),
        '',
        formatTable(
          ['label', 'pages'],
          Object.entries(header.labelCounts).map(([label, count]) => [label, String(count)]),
          ['left', 'right'],
        ),
        '',
        formatTable(
          ['file', 'size', 'copies'],
          [
            ...header.packs.map((pack) => [
              pack.name,
              formatBytes(pack.sizeBytes),
              pack.code === undefined ? String(pack.replication) : ecPolicyName(pack.code),
            ]),
            ...[...attachments, ...bodies].map((file) => [
              file.name,
              formatBytes(file.sizeBytes),
              String(replicationBeside(header.packs)),
            ]),
            ...pageHashes.map((file) => [file.name, formatBytes(file.sizeBytes), '1']),
          ],
          ['left', 'right', 'right'],
        ),
      ],
    );
    return exitCodes.ok;
  } finally {
    await store.close();
  }
}

/** All snapshots of a VM so called. One that cannot be read is `pars list`'s matter. */
async function namesakes(
  store: Store,
  vm: string,
  signal: AbortSignal,
): Promise<readonly NamedVm[]> {
  const found: (NamedVm & Pick<ManifestHeader, 'id' | 'createdMs'>)[] = [];
  await visitSnapshots(
    store,
    {
      snapshot: ({ header }) => {
        const { id, createdMs, identity } = header;
        if (header.vm === vm) {
          found.push({ vm, identity, id, createdMs });
        }
      },
      unreadable: () => undefined,
    },
    signal,
  );
  return found.sort(olderFirst);
}

function shownPack({ code, ...pack }: PackEntry) {
  return { ...pack, ...(code === undefined ? {} : { code: ecPolicyName(code) }) };
}

function shown<T extends HashedFile>({ sha256, ...rest }: T) {
  return { ...rest, sha256: Buffer.from(sha256).toString('hex') };
}

function diskLines(space: AddressSpace): readonly string[] {
  if (space.kind !== 'disk') {
    return [];
  }
  const { disk } = space;
  return [
    `disk       ${disk.name}: ${formatBytes(disk.sizeBytes)}, ${disk.sourceFormat} at ${disk.sourcePath}` +
      (disk.wasEncrypted === true ? ', encrypted there and in the clear here' : ''),
  ];
}

/** What a restore must have or make besides the packs. */
function neededLines(
  { legend }: ManifestHeader,
  spaces: readonly AddressSpace[],
): readonly string[] {
  const ram = ramOf({ spaces });
  const notStored = notStoredOf(ram);
  const diskHeld = ram?.diskHeld;
  const isGiven = disksToBeGiven(spaces).length > 0;
  return [
    ...(notStored.length === 0
      ? []
      : [`not stored ${notStored.map((label) => legend[label]).join(', ')}`]),
    ...(diskHeld === undefined || diskHeld.page.length === 0
      ? []
      : [
          `held by    ${diskHeld.disks.map(({ name }) => name).join(', ')}: ${diskHeld.page.length} pages` +
            (isGiven ? ', for restore --disk' : ', stored with it'),
        ]),
  ];
}
