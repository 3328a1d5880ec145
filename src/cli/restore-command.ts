// pars restore ID: a snapshot back into DIR/ram and DIR/state, or into DIR/migration or DIR/libvirt-save.
import { loadManifest, resolveId } from '../catalog/catalog.js';
import { lostPageCount } from '../restore/lost-pages.js';
import type { StreamFormat } from '../restore/rebuild-stream.js';
import { restoreSnapshot } from '../restore/restore-snapshot.js';
import { openStore } from '../store/open-store.js';
import { exitCodeOfError, exitCodes } from './exit-code.js';
import { lostTable, reportLost } from './lost-report.js';
import type { CommandContext, CommonOptions } from './run-command.js';

export interface RestoreOptions extends CommonOptions {
  readonly store: string;
  readonly out: string;
  readonly outputFormat: 'raw' | StreamFormat;
  readonly allowLost?: boolean;
}

export async function restoreCommand(
  prefix: string,
  options: RestoreOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const manifest = await loadManifest(store, await resolveId(store, prefix), signal);
    const { ramPath, statePath, streamPath, lost } = await restoreSnapshot({
      store,
      manifest,
      folder: options.out,
      format: options.outputFormat,
      allowLost: options.allowLost === true,
      signal,
      onProgress,
    });
    const pagesPath = streamPath ?? ramPath;
    const report = reportLost(lost, manifest.header, manifest.spaces[0]);
    const lostPages = lostPageCount(lost);
    if (lostPages > 0) {
      warn(
        pagesPath === undefined
          ? `${lostPages} pages cannot be read back, so nothing was written; --allow-lost writes the rest`
          : `${lostPages} pages could not be read back and are zero in ${pagesPath}`,
      );
    }
    print(
      {
        id: manifest.header.id,
        ram: ramPath ?? null,
        state: statePath ?? null,
        stream: streamPath ?? null,
        lostPageCount: lostPages,
        lost: report,
      },
      () =>
        lostPages > 0
          ? lostTable(report)
          : `restored ${manifest.header.id} of ${manifest.header.vm} to ${[
              streamPath,
              ramPath,
              statePath,
            ]
              .filter((path) => path !== undefined)
              .join(' and ')}`,
    );
    if (lostPages === 0) {
      return exitCodes.ok;
    }
    return lost.some(({ reason }) => reason === 'corrupt')
      ? exitCodeOfError.corrupt
      : exitCodeOfError['data-lost'];
  } finally {
    await store.close();
  }
}
