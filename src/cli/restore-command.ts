// pars restore ID: a snapshot back into DIR/ram and DIR/state, or into DIR/migration or DIR/libvirt-save; lost pages are
// healed, and the VM is started when asked.
import { ParsError } from '../../introspect/pars-error.js';
import { loadManifest, resolveId } from '../catalog/catalog.js';
import type { Manifest } from '../manifest/types.js';
import { type Healing } from '../restore/heal-ram.js';
import { lostPageCount } from '../restore/lost-pages.js';
import type { StreamFormat } from '../restore/rebuild-stream.js';
import { restoreSnapshot, type RestoreResult } from '../restore/restore-snapshot.js';
import { closeGuestDisks, openGuestDisks, parseDiskArgument } from '../disk/guest-disks.js';
import { readMachine } from '../restore/read-machine.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { exitCodeOfError, exitCodes } from './exit-code.js';
import { lostTable, reportLost } from './lost-report.js';
import { checkResume, type ResumeRequest, resumeVm } from './resume-vm.js';
import type { CommandContext, CommonOptions } from './run-command.js';

export interface RestoreOptions extends CommonOptions {
  readonly store: string;
  readonly out: string;
  readonly outputFormat: 'raw' | StreamFormat;
  readonly allowLost?: boolean;
  /** False with --no-heal. */
  readonly heal: boolean;
  readonly disk?: readonly string[];
  /** True when no mode was named: then the VM runs. */
  readonly resume?: true | 'run' | 'write';
  readonly machine?: string;
  readonly replace?: readonly string[];
}

export async function restoreCommand(
  prefix: string,
  options: RestoreOptions,
  context: CommandContext,
): Promise<number> {
  const { print, warn, signal, onProgress } = context;
  expectResumeOptions(options);
  const store = await openStore(options.store, { local: { mustExist: true } });
  try {
    const manifest = await loadManifest(store, await resolveId(store, prefix), signal);
    const vm =
      options.resume === undefined ? undefined : await vmOf(options, store, manifest, context);
    const heldOn = manifest.spaces[0].diskHeld?.disks ?? [];
    const disks = openGuestDisks(
      (options.disk ?? []).map(parseDiskArgument),
      heldOn.map(({ name }) => name),
    );
    try {
      if (vm !== undefined) {
        await checkResume(vm);
        tellOfDisk(vm, manifest, warn);
      }
      const result = await restoreSnapshot({
        store,
        manifest,
        folder: options.out,
        format: options.outputFormat,
        allowLost: options.allowLost === true,
        noHeal: !options.heal,
        disks,
        signal,
        onProgress,
      });
      tellOfLoss(result, warn);
      const exitCode = exitCodeOf(result);
      // Not a VM that lacks pages.
      if (vm === undefined || exitCode !== exitCodes.ok) {
        print(asJson(manifest, result), () => asText(manifest, result));
        return exitCode;
      }
      const { ramPath, statePath, streamPath } = result;
      const written = { ...vm, ramPath, statePath, streamPath };
      if (vm.mode === 'run') {
        // Before the VM takes the terminal.
        print(asJson(manifest, result), () => asText(manifest, result));
        return (await resumeVm(written)).exitCode ?? exitCodes.ok;
      }
      const { scriptPath } = await resumeVm(written);
      print({ ...asJson(manifest, result), resume: scriptPath }, () =>
        [asText(manifest, result), `${scriptPath} starts the VM`].join('\n'),
      );
      return exitCode;
    } finally {
      closeGuestDisks(disks);
    }
  } finally {
    await store.close();
  }
}

function expectResumeOptions({ resume, machine, replace }: RestoreOptions): void {
  if (resume === undefined && (machine !== undefined || replace !== undefined)) {
    throw new ParsError(
      'usage',
      '--machine and --replace are for --resume: say that too, or leave them out',
    );
  }
}

async function vmOf(
  { out, resume, machine, replace = [], disk = [] }: RestoreOptions,
  store: Store,
  { header }: Manifest,
  { warn, signal }: CommandContext,
): Promise<Omit<ResumeRequest, 'ramPath' | 'statePath' | 'streamPath'>> {
  const disks = disk.map(parseDiskArgument);
  return {
    folder: out,
    machine: machine === undefined ? await readMachine(store, header, signal) : undefined,
    machineFile: machine,
    replacements: replace,
    diskPath: disks.length === 1 ? disks[0].path : undefined,
    mode: resume === 'write' ? 'write' : 'run',
    signal,
    warn,
  };
}

/** Its pages may be the only ones there are. */
function tellOfDisk(
  { diskPath }: Pick<ResumeRequest, 'diskPath'>,
  { spaces }: Manifest,
  warn: (sentence: string) => void,
): void {
  if (diskPath !== undefined && spaces[0].diskHeld !== undefined) {
    warn(
      `the VM will write to ${diskPath}, which this snapshot needs as it is: to restore it again, give a copy instead`,
    );
  }
}

function tellOfLoss(
  { ramPath, streamPath, healing }: RestoreResult,
  warn: (sentence: string) => void,
): void {
  const pagesPath = streamPath ?? ramPath;
  const unhealedPages = lostPageCount(healing.unhealed);
  if (unhealedPages > 0) {
    for (const why of new Set(healing.unhealed.map((run) => run.why))) {
      warn(why);
    }
    warn(
      pagesPath === undefined
        ? `${unhealedPages} pages cannot be read back, so nothing was written; --allow-lost writes the rest`
        : `${unhealedPages} pages could not be read back and are zero in ${pagesPath}`,
    );
  }
  if (healing.rereadPageCount > 0) {
    warn(
      "the guest will read cache again from its disk: start it with the disk of the snapshot's moment and no other",
    );
  }
}

function asJson(
  { header, spaces }: Manifest,
  { ramPath, statePath, streamPath, lost, healing }: RestoreResult,
): Record<string, unknown> {
  const { unhealed, ...healed } = healing;
  return {
    id: header.id,
    ram: ramPath ?? null,
    state: statePath ?? null,
    stream: streamPath ?? null,
    lostPageCount: lostPageCount(lost),
    lost: reportLost(lost, header, spaces[0]),
    healing: {
      ...healed,
      unhealedPageCount: lostPageCount(unhealed),
      unhealed: reportLost(unhealed, header, spaces[0]).map((run, index) => ({
        ...run,
        why: unhealed[index].why,
      })),
    },
  };
}

function asText(
  { header, spaces }: Manifest,
  { ramPath, statePath, streamPath, healing }: RestoreResult,
): string {
  const written = [streamPath, ramPath, statePath].filter((path) => path !== undefined);
  return [
    ...(healing.unhealed.length === 0
      ? []
      : [lostTable(reportLost(healing.unhealed, header, spaces[0]))]),
    ...(written.length === 0 || healing.unhealed.length > 0
      ? []
      : [`restored ${header.id} of ${header.vm} to ${written.join(' and ')}`]),
    ...healedLines(healing),
  ].join('\n');
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

function exitCodeOf({ healing: { unhealed } }: RestoreResult): number {
  if (unhealed.length === 0) {
    return exitCodes.ok;
  }
  return unhealed.some(({ reason }) => reason === 'corrupt')
    ? exitCodeOfError.corrupt
    : exitCodeOfError['data-lost'];
}
