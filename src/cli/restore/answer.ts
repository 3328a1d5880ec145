// What people and programs are told of a restore: what was written where, what is lost, and what was healed.
import { lostPageCount } from '../../loss/lost-pages.js';
import type { Manifest } from '../../manifest/types.js';
import type { Healing } from '../../restore/heal/healing.js';
import type { RestoreResult } from '../../restore/restore-result.js';
import type { RestoredDisk } from '../../restore/restored-disk.js';
import type { Lines } from '../../text/standard-streams.js';
import { exitCodeOfError, exitCodes } from '../shared/exit-code.js';
import { lostTable, reportLost, reportLostOnDisks } from '../shared/lost-report.js';

/** Warns of what is lost for good, and of what the guest needs for its cache. */
export function tellOfLoss(result: RestoreResult, warn: (sentence: string) => void): void {
  const { lostOnDisks, healing } = result;
  const diskPaths = diskPathsOf(result);
  const isWritten = result.kind !== 'refused';
  const unhealedPages = lostPageCount(healing.unhealed);
  for (const why of new Set(healing.unhealed.map((run) => run.why))) {
    warn(why);
  }
  if (unhealedPages > 0) {
    warn(
      isWritten
        ? `${unhealedPages} pages could not be read back and are zero in ${pagesPathOf(result) ?? 'RAM'}`
        : `${unhealedPages} pages cannot be read back, so nothing was written; --allow-lost writes the rest`,
    );
  }
  for (const { name, lost } of lostOnDisks) {
    const found = `${lostPageCount(lost)} pages of the disk ${name}`;
    warn(
      isWritten
        ? `${found} could not be read back and are zero in ${diskPaths.find((disk) => disk.name === name)?.path ?? name}`
        : `${found} cannot be read back and nothing heals a disk, so nothing was written; --allow-lost writes the rest, ` +
            '--without-disks leaves disks out',
    );
  }
  if (healing.rereadPageCount > 0) {
    warn(
      "the guest will read cache again from its disk: start it with the disk of the snapshot's moment and no other" +
        (diskPaths.length > 0 ? ', as restored with it' : ''),
    );
  }
}

/** Where RAM is, if it was written. */
function pagesPathOf(result: RestoreResult): string | undefined {
  switch (result.kind) {
    case 'files':
      return result.ramPath;
    case 'stream':
      return result.streamPath;
    case 'refused':
      return undefined;
  }
}

function diskPathsOf(result: RestoreResult): readonly RestoredDisk[] {
  return result.kind === 'refused' ? [] : result.diskPaths;
}

/** The answer for `--json`. */
export function asJson(manifest: Manifest, result: RestoreResult): Record<string, unknown> {
  const { lost, lostOnDisks, healing } = result;
  const { unhealed, ...healed } = healing;
  const allLost = [...reportLost(lost, manifest), ...reportLostOnDisks(lostOnDisks, manifest)];
  return {
    id: manifest.header.id,
    ram: (result.kind === 'files' ? result.ramPath : undefined) ?? null,
    state: (result.kind === 'files' ? result.statePath : undefined) ?? null,
    stream: result.kind === 'stream' ? result.streamPath : null,
    disks: diskPathsOf(result),
    lostPageCount: allLost.reduce((sum, { pageCount }) => sum + pageCount, 0),
    lost: allLost,
    healing: {
      ...healed,
      unhealedPageCount: lostPageCount(unhealed),
      unhealed: reportLost(unhealed, manifest).map((run, index) => ({
        ...run,
        why: unhealed[index].why,
      })),
    },
  };
}

/** The answer for people. */
export function asText(manifest: Manifest, result: RestoreResult): Lines {
  const { lostOnDisks, healing } = result;
  const { id, vm } = manifest.header;
  const written = [
    pagesPathOf(result),
    result.kind === 'files' ? result.statePath : undefined,
    ...diskPathsOf(result).map(({ path }) => path),
  ].filter((path) => path !== undefined);
  const gone = [
    ...reportLost(healing.unhealed, manifest),
    ...reportLostOnDisks(lostOnDisks, manifest),
  ];
  return [
    ...(gone.length === 0 ? [] : [lostTable(gone)]),
    ...(written.length === 0 || gone.length > 0
      ? []
      : [`restored ${id} of ${vm} to ${written.join(' and ')}`]),
    ...healedLines(healing),
  ];
}

function healedLines(healing: Healing): readonly string[] {
  const { filledPageCount, rereadPageCount, rereadFolioCount, putBackPageCount } = healing;
  return [
    ...(filledPageCount === 0 ? [] : [`healed: ${filledPageCount} free pages were filled anew`]),
    ...(rereadPageCount === 0
      ? []
      : [
          `healed: ${rereadPageCount} pages of cache (${rereadFolioCount} folios) will be read again by the guest`,
        ]),
    ...(putBackPageCount === 0
      ? []
      : [`healed: ${putBackPageCount} pages of cache were put back from the disk image`]),
  ];
}

/** The exit code for what the restore could not give back. */
export function exitCodeOf({ lostOnDisks, healing }: RestoreResult): number {
  const gone = [...healing.unhealed, ...lostOnDisks.flatMap(({ lost }) => lost)];
  if (gone.length === 0) {
    return exitCodes.ok;
  }
  return gone.some(({ reason }) => reason === 'corrupt')
    ? exitCodeOfError.corrupt
    : exitCodeOfError['data-lost'];
}
