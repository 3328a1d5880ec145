// pars verify ID: could this snapshot be restored now, and does it have all its copies?
import { loadManifest, resolveId } from '../catalog/catalog.js';
import { lostPageCount } from '../restore/lost-pages.js';
import { verifySnapshot } from '../restore/verify-snapshot.js';
import { openStore } from '../store/open-store.js';
import { exitCodeOfError, exitCodes } from './exit-code.js';
import { lostTable, reportLost } from './lost-report.js';
import type { CommandContext, CommonOptions } from './run-command.js';

export interface VerifyOptions extends CommonOptions {
  readonly store: string;
  readonly readData?: boolean;
}

export async function verifyCommand(
  prefix: string,
  options: VerifyOptions,
  { print, warn, signal, onProgress }: CommandContext,
): Promise<number> {
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const manifest = await loadManifest(store, await resolveId(store, prefix), signal);
    const readData = options.readData === true;
    const result = await verifySnapshot({ store, manifest, readData, signal, onProgress });
    const { lost, wrongFiles, underReplicated } = result;
    const report = reportLost(lost, manifest.header, manifest.spaces[0]);
    const lostPages = lostPageCount(lost);
    wrongFiles.forEach(warn);
    for (const { name, wanted, found } of underReplicated) {
      warn(`${name} has ${found} of ${wanted} copies`);
    }
    const { id } = manifest.header;
    print(
      { id, readData, lostPageCount: lostPages, lost: report, wrongFiles, underReplicated },
      () =>
        lostPages > 0
          ? `${lostPages} pages of ${id} cannot be read back:\n${lostTable(report)}`
          : wrongFiles.length > 0
            ? `every page of ${id} can be read back, but not every file`
            : `${id} is whole${readData ? ', every page was read and checked' : '; its data was not read (--read-data does)'}`,
    );
    if (lost.some(({ reason }) => reason === 'corrupt')) {
      return exitCodeOfError.corrupt;
    }
    if (lostPages > 0 || wrongFiles.length > 0) {
      return exitCodeOfError['data-lost'];
    }
    return underReplicated.length > 0 ? exitCodes.underReplicated : exitCodes.ok;
  } finally {
    await store.close();
  }
}
