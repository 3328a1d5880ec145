// pars restore ID: a snapshot back into DIR/ram and DIR/state, or into DIR/migration or DIR/libvirt-save, and its disks
// beside them; lost pages are healed, and the VM is started when asked.
import { type Command, Option } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { loadManifest, resolveId } from '../../catalog/catalog.js';
import { closeGuestDisks, openGuestDisks, parseDiskArgument } from '../../disk/guest-disks.js';
import { disksToBeGiven } from '../../loss/disks-to-be-given.js';
import { ramOf } from '../../manifest/space/spaces.js';
import type { Manifest } from '../../manifest/types.js';
import { readMachine } from '../../restore/read-machine.js';
import type { RestoreRequest, StreamFormat } from '../../restore/restore-request.js';
import type { RestoreResult } from '../../restore/restore-result.js';
import { restoreSnapshot } from '../../restore/restore-snapshot.js';
import { diskTargets, restoredDisk } from '../../restore/restored-disk.js';
import { expectFirstRun, runScript } from '../../restore/resume/resume-folder.js';
import { isOfLibvirt, writeLibvirtResume } from '../../restore/resume/write-libvirt-resume.js';
import {
  checkResume,
  type ResumableMachine,
  type ResumeRequest,
  writeResume,
} from '../../restore/resume/write-resume.js';
import { openStore } from '../../store/open-store.js';
import type { Store } from '../../store/store.js';
import { UnreachableCopies } from '../../store/unreachable.js';
import { findingLines } from '../../vm/trust/trust-words.js';
import { exitCodes } from '../shared/exit-code.js';
import { collect, jsonOption, snapshotMeaning } from '../shared/options/common.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';
import { asJson, asText, exitCodeOf, tellOfLoss } from './answer.js';
import { confirmMachine } from './confirm-machine.js';

export interface RestoreOptions extends CommonOptions {
  readonly store: string;
  readonly out: string;
  /** Raw when it is not said, and with `resume` what the VM can be started from. */
  readonly outputFormat?: 'raw' | StreamFormat;
  readonly allowLost?: boolean;
  /** False with --no-heal. */
  readonly heal: boolean;
  readonly healUnreachable?: boolean;
  readonly disk?: readonly string[];
  readonly withoutDisks?: boolean;
  /** True when no mode was named: then the VM runs. */
  readonly resume?: true | 'run' | 'write';
  readonly machine?: string;
  readonly replace?: readonly string[];
  readonly trustMachine?: boolean;
  readonly trustPath?: readonly string[];
  readonly connect?: string;
}

export function configure(command: Command): void {
  command
    .argument('<id>', snapshotMeaning)
    .addOption(storeOption().makeOptionMandatory())
    .requiredOption('--out <dir>', 'folder to write to; made when missing')
    .addOption(
      new Option(
        '--output-format <name>',
        'a stream is rebuilt from RAM and the device state of one (default: raw; with --resume: what the VM can be started from)',
      ).choices(['raw', 'migration', 'libvirt-save']),
    )
    .option('--allow-lost', 'write the image although pages are lost for good; those read as zero')
    .option('--no-heal', 'refuse when pages are lost, also those that can be healed')
    .option(
      '--heal-unreachable',
      'take pages for lost that the store lists and this machine cannot reach: nodes that do not answer, disks that are not there',
    )
    .addOption(
      new Option(
        '--resume [mode]',
        'start the VM from what was restored (run), or only write DIR/resume.sh, which does (write); by QEMU, or by libvirt where it was saved by it. It is shown and asked about before, on a terminal; elsewhere it takes --trust-machine',
      ).choices(['run', 'write']),
    )
    .option(
      '--machine <file>',
      "with --resume: the VM's QEMU command line, instead of the one that was stored",
    )
    .option(
      '--replace <old=new>',
      'with --resume: a path of the command line, and the one to take instead; may be given again',
      collect,
    )
    .option(
      '--trust-machine',
      'with --resume: start the VM without asking, whatever its command line or XML does to this host: run programs, open files, listen',
    )
    .option(
      '--trust-path <path>',
      'with --resume: a file, device, socket or QEMU of this host that the machine may use as it says; may be given again',
      collect,
    )
    .option(
      '--connect <uri>',
      'with --resume of a VM from libvirt: as `virsh -c` (default: LIBVIRT_DEFAULT_URI, or as virsh)',
    )
    .option(
      '--disk <[name=]file>',
      "raw disk image of the snapshot's moment, for pages stored as what it holds; may be given again",
      collect,
    )
    .option('--without-disks', 'leave out the disks that were stored with it')
    .addOption(jsonOption())
    .action((id: string, options: RestoreOptions) =>
      runCommand(options, (context) => restoreCommand(id, options, context)),
    );
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
    const byLibvirt = vm !== undefined && (await isForLibvirt(options, store, manifest, signal));
    const heldOn = ramOf(manifest)?.diskHeld?.disks ?? [];
    const disks = openGuestDisks(
      (options.disk ?? []).map(parseDiskArgument),
      heldOn.map(({ name }) => name),
    );
    try {
      if (vm !== undefined) {
        await (byLibvirt ? expectFirstRun(vm.folder) : checkResume(vm));
        tellOfDisk(vm, manifest, warn);
      }
      const result = await restored({
        store,
        manifest,
        folder: options.out,
        format:
          options.outputFormat ??
          (byLibvirt ? 'libvirt-save' : vm === undefined ? 'raw' : 'resumable'),
        allowLost: options.allowLost === true,
        noHeal: !options.heal,
        healUnreachable: options.healUnreachable === true,
        disks,
        withoutDisks: options.withoutDisks === true,
        signal,
        onProgress,
      });
      tellOfLoss(result, warn);
      const exitCode = exitCodeOf(result);
      // Not a VM that lacks pages.
      if (vm === undefined || result.kind === 'refused' || exitCode !== exitCodes.ok) {
        print(asJson(manifest, result), () => asText(manifest, result));
        return exitCode;
      }
      const prepareMachine = async (): Promise<ResumableMachine> => {
        if (result.kind === 'files') {
          const { ramPath, statePath } = result;
          return await writeResume({ ...vm, ramPath, statePath });
        }
        const { streamPath, diskPaths } = result;
        return byLibvirt
          ? await writeLibvirtResume({
              ...vm,
              uri: options.connect,
              streamPath,
              restoredDisks: diskPaths,
            })
          : await writeResume({ ...vm, streamPath });
      };
      if (options.resume !== 'write') {
        // Before the VM takes the terminal.
        print(asJson(manifest, result), () => asText(manifest, result));
        return await startMachine(await prepareMachine(), options, context);
      }
      const { scriptPath, findings } = await prepareMachine();
      if (findings.length > 0) {
        warn([
          `${scriptPath} starts what the snapshot says, and that is more than a VM needs; read it before:`,
          ...findingLines(findings).map((line) => `  ${line}`),
        ]);
      }
      print({ ...asJson(manifest, result), resume: scriptPath }, () => [
        asText(manifest, result),
        `${scriptPath} starts the VM`,
      ]);
      return exitCode;
    } finally {
      closeGuestDisks(disks);
    }
  } finally {
    await store.close();
  }
}

/** What nobody can reach ends a restore: whoever asks for it is told how to go on without. */
async function restored(request: RestoreRequest): Promise<RestoreResult> {
  try {
    return await restoreSnapshot(request);
  } catch (error) {
    if (!(error instanceof UnreachableCopies) || request.healUnreachable === true) {
      throw error;
    }
    throw new UnreachableCopies(
      `${error.message}. Nothing was written. If these bytes are gone for good, restore with --heal-unreachable`,
      { cause: error },
    );
  }
}

/** By what it was saved as, or is to be restored as; a machine given by hand is QEMU's. */
async function isForLibvirt(
  { outputFormat, machine }: RestoreOptions,
  store: Store,
  { header }: Manifest,
  signal: AbortSignal,
): Promise<boolean> {
  if (outputFormat !== undefined || machine !== undefined) {
    return outputFormat === 'libvirt-save';
  }
  return await isOfLibvirt(store, header.attachments, signal);
}

function expectResumeOptions(options: RestoreOptions): void {
  const { resume, machine, replace, trustMachine, trustPath, connect } = options;
  if (resume === undefined && (machine !== undefined || replace !== undefined)) {
    throw new ParsError(
      'usage',
      '--machine and --replace are for --resume: say that too, or leave them out',
    );
  }
  if (resume === undefined && (trustMachine !== undefined || trustPath !== undefined)) {
    throw new ParsError(
      'usage',
      '--trust-machine and --trust-path are for --resume: say that too, or leave them out',
    );
  }
  if (resume === undefined && connect !== undefined) {
    throw new ParsError('usage', '--connect is for --resume: say that too, or leave it out');
  }
}

async function vmOf(
  options: RestoreOptions,
  store: Store,
  manifest: Manifest,
  { warn, signal }: CommandContext,
): Promise<Omit<ResumeRequest, 'ramPath' | 'statePath' | 'streamPath'>> {
  const { out, machine, replace = [], disk = [], withoutDisks } = options;
  const disks = disk.map(parseDiskArgument);
  return {
    folder: out,
    machine: machine === undefined ? await readMachine(store, manifest.header, signal) : undefined,
    machineFile: machine,
    replacements: replace,
    diskPath: disks.length === 1 ? disks[0].path : undefined,
    restoredDisks: withoutDisks === true ? [] : diskTargets(manifest, out).map(restoredDisk),
    trustedPaths: options.trustPath ?? [],
    signal,
    warn,
  };
}

/** The exit code: of the script, or that of a VM that nobody has agreed to start. */
async function startMachine(
  machine: ResumableMachine,
  { trustMachine }: RestoreOptions,
  { signal, warn }: CommandContext,
): Promise<number> {
  const isConfirmed = await confirmMachine(machine, {
    isTrusted: trustMachine === true,
    signal,
    warn,
  });
  return isConfirmed ? await runScript(machine.scriptPath, signal) : exitCodes.vmFailed;
}

/** Warns of a given disk that the VM will write to: the snapshot's pages on it may be the only ones there are. */
function tellOfDisk(
  { diskPath }: Pick<ResumeRequest, 'diskPath'>,
  { spaces }: Manifest,
  warn: (sentence: string) => void,
): void {
  if (diskPath !== undefined && disksToBeGiven(spaces).length > 0) {
    warn(
      `the VM will write to ${diskPath}, which this snapshot needs as it is: to restore it again, give a copy instead`,
    );
  }
}
