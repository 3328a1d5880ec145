// What starts a VM by QEMU from what was restored: DIR/resume.sh.
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { convertImage, expectConverter } from '../../disk/convert-image.js';
import { diskError } from '../../host/disk-error.js';
import { readMachineFile } from '../../vm/machine-file.js';
import { bashQuote } from '../../vm/qemu/bash-quote.js';
import { parseQemuCommand, type QemuCommand } from '../../vm/qemu/qemu-command.js';
import { newRamPaths, type RamFile } from '../../vm/qemu/shared-ram.js';
import { isReplaceable, planResume, type ResumePlan } from '../../vm/resume/plan-resume.js';
import { privateFolderName } from '../../vm/resume/private-names.js';
import { parseReplacement, type Replacement } from '../../vm/resume/replace-path.js';
import { commandLines, resumeScript, scriptName } from '../../vm/resume/resume-script.js';
import { unnamedUsesText } from '../../vm/resume/unnamed-uses.js';
import { expectRamElsewhere } from '../../vm/saved-state.js';
import type { AllowedPaths, Finding } from '../../vm/trust/effects.js';
import { isAddress } from '../../vm/trust/host-paths.js';
import { judgeCommand } from '../../vm/trust/judge-command.js';
import type { RestoredDisk } from '../restored-disk.js';
import { expectFirstRun, writeScript } from './resume-folder.js';

export interface ResumeRequest {
  /** Where the restore wrote. */
  readonly folder: string;
  readonly ramPath?: string | undefined;
  readonly statePath?: string | undefined;
  /** A whole migration stream, in place of both. */
  readonly streamPath?: string | undefined;
  /** As kept in the snapshot. */
  readonly machine?: Uint8Array | undefined;
  /** Goes before the one of the snapshot. */
  readonly machineFile?: string | undefined;
  /** OLD=NEW each. */
  readonly replacements: readonly string[];
  /** The disk that was given to the restore. */
  readonly diskPath?: string | undefined;
  /** The disks that were stored with the snapshot. */
  readonly restoredDisks?: readonly RestoredDisk[];
  /** Paths of the host that the machine may open as it says. */
  readonly trustedPaths?: readonly string[];
  /** Ends what takes long. */
  readonly signal?: AbortSignal | undefined;
  readonly warn: (sentence: string) => void;
}

export interface ResumableMachine {
  /** The command by lines, as bash would read it, control characters made visible. */
  readonly command: readonly string[];
  /** What the machine can do to the host; the script has it at its head. */
  readonly findings: readonly Finding[];
  /** The script that starts it (src/vm/resume/resume-script.ts). */
  readonly scriptPath: string;
}

/** The format of every disk that a restore writes. */
const rawFormat = 'raw';

/** For before the restore, which takes minutes. Throws as `writeResume` would for the same reasons. */
export async function checkResume(
  request: Pick<
    ResumeRequest,
    | 'folder'
    | 'machine'
    | 'machineFile'
    | 'replacements'
    | 'diskPath'
    | 'restoredDisks'
    | 'trustedPaths'
  >,
): Promise<void> {
  const command = await readMachine(request);
  await expectFirstRun(request.folder);
  // Where RAM will lie has no part in what is looked at here.
  allowedPlan(request, command, undefined);
  const isConverted = (request.restoredDisks ?? []).some(
    ({ sourceFormat, sourcePath }) =>
      sourceFormat !== rawFormat && isReplaceable(command.options, sourcePath),
  );
  if (isConverted) {
    await expectConverter();
  }
}

/** Writes it. Throws `usage` when there is no machine or it does not fit, `already-exists` when the folder has had its VM. */
export async function writeResume(request: ResumeRequest): Promise<ResumableMachine> {
  const { signal, restoredDisks = [] } = request;
  const folder = resolve(request.folder);
  const command = await readMachine(request);
  await expectFirstRun(folder);
  const saved = await savedOf(request);
  const plan = allowedPlan(request, command, saved.ram);
  warnOfDisks(request, plan);
  await makePrivateFolder(folder, plan);
  await convertDisks(restoredDisks, plan, signal);
  const scriptPath = join(folder, scriptName);
  const findings = judgeCommand(plan.command, allowedPaths(request, plan, folder, saved.ram?.path));
  const script = resumeScript({
    command: plan.command,
    folder,
    statePath: saved.statePath,
    isRamElsewhere: saved.ram !== undefined,
    findings,
  });
  await writeScript(scriptPath, script);
  return { command: commandLines(plan.command), findings, scriptPath };
}

/** Throws `usage` for a machine that would use what belongs to another VM, or a disk that it cannot open. */
function allowedPlan(
  {
    folder,
    diskPath,
    restoredDisks = [],
    ...request
  }: Pick<ResumeRequest, 'folder' | 'replacements' | 'diskPath' | 'restoredDisks' | 'trustedPaths'>,
  command: QemuCommand,
  ram: RamFile | undefined,
): ResumePlan {
  const plan = planResume({
    command,
    ram,
    folder: resolve(folder),
    replacements: replacementsOf(request),
    diskPath: diskPath === undefined ? undefined : resolve(diskPath),
    restoredDisks: restoredDisks.map((disk) => ({
      sourcePath: disk.sourcePath,
      path: machinePathOf(disk),
      format: disk.sourceFormat,
    })),
    namedPaths: new Set(request.trustedPaths),
  });
  expectNothingUnnamed(plan);
  expectNoneToEncrypt(restoredDisks, plan);
  return plan;
}

/** The VM is started in another folder than this process. */
function replacementsOf({
  replacements,
}: Pick<ResumeRequest, 'replacements'>): readonly Replacement[] {
  return replacements.map(parseReplacement).map(({ oldPath, newPath }) => ({
    oldPath,
    newPath: isAddress(newPath) ? newPath : resolve(newPath),
  }));
}

/** The machine would take what is in the clear for what it can decrypt. */
function expectNoneToEncrypt(
  restoredDisks: readonly RestoredDisk[],
  { usedDisks }: ResumePlan,
): void {
  const used = restoredDisks.find(
    ({ sourcePath, wasEncrypted }) =>
      wasEncrypted === true && usedDisks.some((disk) => disk.sourcePath === sourcePath),
  );
  if (used !== undefined) {
    throw new ParsError(
      'usage',
      `the VM was not resumed: its disk ${used.name} was encrypted (${used.sourceFormat} at ${used.sourcePath}), and the ` +
        'snapshot holds it in the clear, which this machine cannot open. Restore without --resume, encrypt the disk again ' +
        `with the same key (qemu-img convert), and name that: --without-disks --replace ${used.sourcePath}=NEW`,
    );
  }
}

function expectNothingUnnamed({ unnamedUses }: ResumePlan): void {
  if (unnamedUses.length > 0) {
    throw new ParsError('usage', unnamedUsesText(unnamedUses));
  }
}

/** For nobody else: who reaches a monitor's socket commands QEMU. */
async function makePrivateFolder(folder: string, { movedNames }: ResumePlan): Promise<void> {
  if (movedNames.length > 0) {
    const path = join(folder, privateFolderName);
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      throw diskError(error, `cannot make ${path}`);
    });
  }
}

/** What the user named, and what was restored: it stands for itself. */
function allowedPaths(
  { replacements, diskPath, trustedPaths = [], restoredDisks = [] }: ResumeRequest,
  { usedDisks, movedNames }: ResumePlan,
  folder: string,
  ramPath: string | undefined,
): AllowedPaths {
  const restored = new Map<string, string | undefined>([
    ...restoredDisks.map(({ path }): [string, string] => [resolve(path), rawFormat]),
    ...usedDisks.map(({ path, format = rawFormat }): [string, string] => [path, format]),
    ...(diskPath === undefined ? [] : [[resolve(diskPath), rawFormat] as const]),
    ...(ramPath === undefined ? newRamPaths(folder) : [ramPath]).map(
      (path): [string, undefined] => [path, undefined],
    ),
  ]);
  const replaced = replacementsOf({ replacements }).map(({ newPath }) => newPath);
  const own = movedNames.map(({ newPath }) => newPath);
  return { named: new Set([...trustedPaths, ...own]), replaced: new Set(replaced), restored };
}

async function readMachine({
  machine,
  machineFile,
}: Pick<ResumeRequest, 'machine' | 'machineFile'>): Promise<QemuCommand> {
  if (machineFile !== undefined) {
    return parseQemuCommand(await readMachineFile(machineFile), machineFile);
  }
  if (machine !== undefined) {
    return parseQemuCommand(machine, 'of the snapshot');
  }
  throw new ParsError(
    'usage',
    "the snapshot was uploaded without its machine: give QEMU's command line with --machine FILE, such as " +
      '/proc/PID/cmdline of the QEMU that it came from',
  );
}

async function savedOf({ ramPath, statePath, streamPath }: ResumeRequest): Promise<{
  readonly statePath: string;
  readonly ram: { readonly path: string; readonly sizeBytes: number } | undefined;
}> {
  if (streamPath !== undefined) {
    return { statePath: resolve(streamPath), ram: undefined };
  }
  if (ramPath === undefined || statePath === undefined) {
    throw new ParsError(
      'usage',
      'the snapshot holds no device state, so its VM cannot be resumed; upload with --state',
    );
  }
  expectRamElsewhere(statePath);
  const { size } = await stat(ramPath).catch((error: unknown) => {
    throw diskError(error, `cannot look at ${ramPath}`);
  });
  return { statePath: resolve(statePath), ram: { path: resolve(ramPath), sizeBytes: size } };
}

/** The file that the machine is to use: the restored one, or what it is converted to beside it. */
function machinePathOf({ path, sourceFormat }: RestoredDisk): string {
  const restored = resolve(path);
  return sourceFormat === rawFormat ? restored : restored.replace(/\.img$/, `.${sourceFormat}`);
}

/** The machine says which format its disk has, and cannot be told another without changing what the guest sees. */
async function convertDisks(
  disks: readonly RestoredDisk[],
  { usedDisks }: ResumePlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const disk of disks) {
    const path = machinePathOf(disk);
    if (disk.sourceFormat !== rawFormat && usedDisks.some((used) => used.path === path)) {
      await convertImage(disk.path, path, disk.sourceFormat, signal);
    }
  }
}

function warnOfDisks(request: ResumeRequest, { diskPaths, usedDisks }: ResumePlan): void {
  const { diskPath, restoredDisks = [], warn } = request;
  const others = diskPaths.filter((path) => !usedDisks.some((used) => used.path === path));
  if (diskPath !== undefined && !diskPaths.includes(resolve(diskPath))) {
    warn(
      diskPaths.length === 0
        ? `the machine writes to no disk, so ${diskPath} is not used`
        : others.length === 0
          ? `the VM's disks are those restored with it, so it does not use ${diskPath}`
          : `the VM's disks stay ${others.map(bashQuote).join(' and ')}; say with --replace OLD=${diskPath} which of them the restored disk is`,
    );
  } else if (diskPath === undefined && others.length > 0) {
    warn(
      `the VM's disks are ${others.map(bashQuote).join(' and ')}: they must be as they were at the snapshot, or its file systems break; ` +
        '--replace OLD=NEW names copies',
    );
  }
  const replacements = replacementsOf(request);
  for (const disk of restoredDisks) {
    const isUsed = usedDisks.some(({ sourcePath }) => sourcePath === disk.sourcePath);
    const isChosen = replacements.some(
      ({ oldPath, newPath }) => oldPath === disk.sourcePath || newPath === resolve(disk.path),
    );
    if (!isUsed && !isChosen) {
      warn(
        `the machine's command line does not name ${bashQuote(disk.sourcePath)}, so the VM does not use ${disk.path}; ` +
          `--replace OLD=${disk.path} says which of its disks that is`,
      );
    }
  }
}
