// The command line of the QEMU behind a socket, and its disks by the places that the command line has for them.
import { readMachineFile } from '../machine-file.js';
import { machineOfProcess, type ProcessMachine } from '../process-machine.js';
import { uuidOfMachine } from '../qemu/machine-uuid.js';
import { parseQemuCommand, type QemuCommand } from '../qemu/qemu-command.js';
import { placeDisks } from './disks/place-disks.js';
import { findQemu } from './find-qemu.js';
import { qemuPidOf } from './vcpu-threads.js';
import type { VmDisk, VmFacts } from './vm-facts.js';

export interface FoundMachine {
  /** As a snapshot keeps them. */
  readonly bytes: Uint8Array;
  /** Undefined for one that cannot be read. */
  readonly command: QemuCommand | undefined;
  readonly uuid: string | undefined;
  readonly disks: readonly VmDisk[];
}

/** Undefined when the process cannot be told: then a restore needs `--machine`. */
export async function readMachine(
  { qmpPath, machinePath }: { readonly qmpPath: string; readonly machinePath?: string | undefined },
  vcpuThreads: readonly number[],
  { disks }: Pick<VmFacts, 'disks'>,
): Promise<FoundMachine | undefined> {
  const qemu = findQemu(qmpPath, qemuPidOf(vcpuThreads));
  const running = qemu === undefined ? undefined : machineOfProcess(qemu.pid, qemu.commandLine);
  const machine = machinePath === undefined ? running : await givenMachine(machinePath);
  return machine === undefined
    ? undefined
    : {
        bytes: machine.bytes,
        command: machine.command,
        uuid: uuidOfMachine(machine.bytes),
        // What QEMU says of its disks is below the folder of the one that runs.
        disks: placeDisks(disks, machine.command?.options ?? [], running?.startFolder),
      };
}

async function givenMachine(path: string): Promise<Omit<ProcessMachine, 'startFolder'>> {
  const bytes = await readMachineFile(path);
  return { bytes, command: parseQemuCommand(bytes, path) };
}
