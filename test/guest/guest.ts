// A small Linux in QEMU, for tests that need memory as a real kernel leaves it.
// Boots from an initramfs, fills its memory as workload.sh says, then does what
// it is told over a serial port. Its RAM is a file, so a snapshot is: stop, save
// the device state without the RAM, copy the files.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseChecksums } from './checksums.js';
import { CommandPort, NOT_READY } from './command-port.js';
import { copySparse } from './copy-sparse.js';
import { makeDataDisk } from './data-disk.js';
import { diskOf, type GuestOptions, machineOf, modulesOf } from './guest-options.js';
import { type GuestSnapshot, MACHINE_DESCRIPTION, snapshotIn } from './guest-snapshot.js';
import { buildInitramfs } from './initramfs.js';
import { findKernelPackage } from './kernel-package.js';
import {
  DIMM_FILE,
  type Machine,
  MACHINE_FILES,
  qemuCommandLine,
  RUNTIME_FILES,
} from './machine.js';
import { type PageRecord, pageRecordFromBytes } from './page-record.js';
import { QemuProcess } from './qemu-process.js';
import { Qmp } from './qmp.js';
import { connectWhenThere } from './socket.js';
import { BLOCK_SIZE_BYTES, KALLSYMS_AT_MIB, makeSpareDisk, readSpareDisk } from './spare-disk.js';

const CONNECT_TIMEOUT_MS = 10_000;
const BOOT_TIMEOUT_MS = 180_000;
/** Several times what a boot takes on a loaded machine, and short enough to leave a test's set-up room for another. */
const FIRST_BOOT_TIMEOUT_MS = 100_000;
const COMMAND_TIMEOUT_MS = 120_000;

/** Under these the RAM stays where it is, in its shared file, and out of the state. */
const IGNORE_SHARED = { capabilities: [{ capability: 'x-ignore-shared', state: true }] };

interface RecordBytes {
  /** The text of /proc/zoneinfo, meminfo and vmstat. */
  readonly counters: string;
  readonly kpageflags: Buffer;
  readonly kpagecount: Buffer;
}

export class Guest {
  readonly machine: Machine;
  readonly #qemu: QemuProcess;
  readonly #port: CommandPort;
  readonly #qmp: Qmp;

  constructor(machine: Machine, qemu: QemuProcess, port: CommandPort, qmp: Qmp) {
    this.machine = machine;
    this.#qemu = qemu;
    this.#port = port;
    this.#qmp = qmp;
  }

  get pid(): number {
    return this.#qemu.pid;
  }

  get ramPath(): string {
    return join(this.#qemu.folder, MACHINE_FILES.ram);
  }

  /** The file of the DIMM, where the machine has one. */
  get dimmPath(): string {
    return join(this.#qemu.folder, DIMM_FILE);
  }

  get diskPath(): string {
    return join(this.#qemu.folder, MACHINE_FILES.disk);
  }

  get sparePath(): string {
    return join(this.#qemu.folder, MACHINE_FILES.spare);
  }

  get initramfsPath(): string {
    return join(this.#qemu.folder, MACHINE_FILES.initramfs);
  }

  /** A monitor that nobody is connected to, for the code under test. */
  get qmpSocketPath(): string {
    return join(this.#qemu.folder, RUNTIME_FILES.freeQmpSocket);
  }

  /** What the guest's kernel and QEMU printed last. */
  lastWords(): string {
    return this.#qemu.lastWords();
  }

  /** Runs one line of shell in the guest; rejects when its exit status is not 0. */
  async command(line: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<string> {
    return await this.#qemu.whileRunning(this.#port.command(line, timeoutMs));
  }

  /** A checksum for each kind of content the guest holds, by name. */
  async checksums(): Promise<ReadonlyMap<string, string>> {
    return parseChecksums(await this.command('checksums'));
  }

  /**
   * The kernel's own account of every page frame. Each record can be had once: 0 is taken by
   * `snapshot`, 1 is left for the resumed copy.
   */
  async pageRecord(record: 0 | 1): Promise<PageRecord> {
    const { kpageflags, kpagecount } = await this.#readPageRecord(record);
    return pageRecordFromBytes(kpageflags, kpagecount);
  }

  /** The text of /proc/kallsyms. Leaves traces in memory: ask a copy. */
  async kallsyms(): Promise<string> {
    const report = await this.command('kallsyms');
    const blockCount = /^(\d+)\+0 records out$/m.exec(report)?.[1];
    if (blockCount === undefined) {
      throw new Error(`expected dd in the guest to write whole blocks, found: ${report}`);
    }
    const padded = readSpareDisk(
      this.sparePath,
      KALLSYMS_AT_MIB << 20,
      Number(blockCount) * BLOCK_SIZE_BYTES,
    );
    return padded.subarray(0, padded.indexOf(0)).toString('utf8');
  }

  async qmp(command: string, commandArguments: object = {}): Promise<unknown> {
    return await this.#qemu.whileRunning(this.#qmp.execute(command, commandArguments));
  }

  /** Pauses all vCPUs and flushes the disks. */
  async stop(): Promise<void> {
    await this.qmp('stop');
  }

  async cont(): Promise<void> {
    await this.qmp('cont');
  }

  /**
   * The guest of this moment as files in `folder`, which must not exist yet. The
   * guest's last act is to write its record of page frames. Leaves the guest stopped; `cont`
   * lets it go on.
   */
  async snapshot(folder: string): Promise<GuestSnapshot> {
    mkdirSync(folder, { recursive: true });
    const snapshot = snapshotIn(folder, this.machine);
    const { counters, kpageflags, kpagecount } = await this.#readPageRecord(0);
    await this.stop();
    writeFileSync(snapshot.countersPath, counters);
    writeFileSync(snapshot.kpageflagsPath, kpageflags);
    writeFileSync(snapshot.kpagecountPath, kpagecount);
    await this.qmp('migrate-set-capabilities', IGNORE_SHARED);
    await this.qmp('migrate', { uri: `exec:cat > '${snapshot.statePath}'` });
    await this.#qemu.whileRunning(this.#qmp.migrationCompleted());
    const dimm = this.machine.dimmSizeMib === undefined ? [] : [DIMM_FILE];
    for (const name of [...Object.values(MACHINE_FILES), ...dimm]) {
      await copySparse(join(this.#qemu.folder, name), join(folder, name));
    }
    writeFileSync(join(folder, MACHINE_DESCRIPTION), JSON.stringify(this.machine, null, 2));
    return snapshot;
  }

  /**
   * QEMU's migration stream with the RAM in it, as `migrate exec:` writes it. A running guest is stopped at the end;
   * a background snapshot leaves or sets it running.
   */
  async saveStream(path: string, capabilities: readonly string[] = []): Promise<void> {
    const on = capabilities.map((capability) => ({ capability, state: true }));
    const withoutShared = { capability: 'x-ignore-shared', state: false };
    await this.qmp('migrate-set-capabilities', { capabilities: [withoutShared, ...on] });
    await this.qmp('migrate', { uri: `exec:cat > '${path}'` });
    await this.#qemu.whileRunning(this.#qmp.migrationCompleted());
    const off = capabilities.map((capability) => ({ capability, state: false }));
    await this.qmp('migrate-set-capabilities', { capabilities: off });
  }

  /** Pulls the plug and removes the guest's files. */
  async close(): Promise<void> {
    this.#port.close();
    this.#qmp.close();
    await this.#qemu.close();
  }

  async #readPageRecord(record: 0 | 1): Promise<RecordBytes> {
    const sizeBytes = Number(await this.command(`page_record ${record}`));
    const start = record * (BLOCK_SIZE_BYTES + 2 * sizeBytes);
    const text = readSpareDisk(this.sparePath, start, BLOCK_SIZE_BYTES);
    const [kpageflags, kpagecount] = [0, 1].map((number) =>
      readSpareDisk(this.sparePath, start + BLOCK_SIZE_BYTES + number * sizeBytes, sizeBytes),
    );
    return { counters: text.subarray(0, text.indexOf(0)).toString('utf8'), kpageflags, kpagecount };
  }
}

/**
 * Returns when the workload has filled the guest's memory.
 *
 * Kernels change their own code while they boot, and QEMU 7.2 does not always keep up with that on several emulated
 * CPUs: one boot in some fifty ends with an oops in code that was just changed, one in hundreds hangs before it says
 * anything. Such a guest gets a second chance.
 */
export async function bootGuest(options: GuestOptions = {}): Promise<Guest> {
  try {
    return await bootOnce({ bootTimeoutMs: FIRST_BOOT_TIMEOUT_MS, ...options });
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes('Kernel panic') && !message.includes(NOT_READY)) {
      throw error;
    }
    process.stderr.write(`a guest gets a second chance: ${message}\n`);
    return await bootOnce(options);
  }
}

async function bootOnce(options: GuestOptions): Promise<Guest> {
  const kernel = findKernelPackage(options.kernelRelease, options.kernelFlavour);
  const machine = machineOf(options, kernel);
  return await launch(
    machine,
    [],
    (folder) => {
      const initramfs = buildInitramfs(kernel, modulesOf(options));
      writeFileSync(join(folder, MACHINE_FILES.initramfs), initramfs);
      makeDataDisk(join(folder, MACHINE_FILES.disk), diskOf(options));
      makeSpareDisk(join(folder, MACHINE_FILES.spare));
    },
    async (port) => {
      await port.ready(options.bootTimeoutMs ?? BOOT_TIMEOUT_MS);
    },
  );
}

/** RAM or device state that came another way, a restore for one. */
export interface ResumeOverrides {
  readonly ramPath?: string;
  readonly statePath?: string;
  readonly diskPath?: string;
  /** A whole migration stream, in place of RAM and device state. */
  readonly streamPath?: string;
  /** Leave the guest as it was loaded. */
  readonly paused?: boolean;
  /** Where the guest's files go. Background snapshots of RAM in a file want it on a tmpfs. */
  readonly parentFolder?: string;
}

/** Lets a copy of the snapshot run on; the given files themselves stay as they are. */
export async function resumeGuest(
  snapshot: GuestSnapshot,
  overrides: ResumeOverrides = {},
): Promise<Guest> {
  const { streamPath } = overrides;
  const statePath = streamPath ?? overrides.statePath ?? snapshot.statePath;
  return await launch(
    snapshot.machine,
    // Not `-incoming exec:`: QEMU might begin to read before it knows that the RAM is not in there.
    ['-incoming', 'defer'],
    async (folder) => {
      if (streamPath === undefined) {
        await copySparse(overrides.ramPath ?? snapshot.ramPath, join(folder, MACHINE_FILES.ram));
        if (snapshot.machine.dimmSizeMib !== undefined) {
          await copySparse(snapshot.dimmPath, join(folder, DIMM_FILE));
        }
      }
      await copySparse(overrides.diskPath ?? snapshot.diskPath, join(folder, MACHINE_FILES.disk));
      await copySparse(snapshot.sparePath, join(folder, MACHINE_FILES.spare));
      await copySparse(snapshot.initramfsPath, join(folder, MACHINE_FILES.initramfs));
    },
    async (_port, qmp) => {
      if (streamPath === undefined) {
        await qmp.execute('migrate-set-capabilities', IGNORE_SHARED);
      }
      // Otherwise a guest that was running goes on by itself.
      await qmp.execute('stop');
      await qmp.execute('migrate-incoming', { uri: `exec:cat '${statePath}'` });
      await qmp.migrationCompleted();
      if (overrides.paused !== true) {
        await qmp.execute('cont');
      }
    },
    overrides.parentFolder,
  );
}

async function launch(
  machine: Machine,
  extraArguments: readonly string[],
  prepare: (folder: string) => Promise<void> | void,
  start: (port: CommandPort, qmp: Qmp) => Promise<void>,
  parentFolder = tmpdir(),
): Promise<Guest> {
  const folder = mkdtempSync(join(parentFolder, 'pars-guest-'));
  try {
    await prepare(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const qemu = new QemuProcess(folder, [...qemuCommandLine(machine, folder), ...extraArguments]);
  try {
    return await qemu.whileRunning(connectAndStart());
  } catch (error) {
    const words = qemu.lastWords();
    await qemu.close();
    throw new Error(`the guest did not start: ${(error as Error).message}\n${words}`, {
      cause: error,
    });
  }

  async function connectAndStart(): Promise<Guest> {
    const commandSocket = join(folder, RUNTIME_FILES.commandSocket);
    const port = new CommandPort(await connectWhenThere(commandSocket, CONNECT_TIMEOUT_MS));
    const qmp = await Qmp.connect(join(folder, RUNTIME_FILES.qmpSocket));
    await start(port, qmp);
    return new Guest(machine, qemu, port, qmp);
  }
}
