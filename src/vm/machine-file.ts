// The file that describes a machine, as `--machine FILE` names it.
import { open } from 'node:fs/promises';
import { diskError } from '../host/disk-error.js';
import { machineOfProcess } from './process-machine.js';
import { maxMachineBytes, parseQemuCommand } from './qemu/qemu-command.js';

/** A running process: its relative paths mean something only while it runs. */
const processFile = /^\/proc\/(\d+)\/cmdline$/;

/** The bytes of a machine file, as they are to be kept. Throws `usage` when they describe no machine. */
export async function readMachineFile(path: string): Promise<Uint8Array> {
  const bytes = await readUpTo(path, maxMachineBytes + 1).catch((error: unknown) => {
    throw diskError(error, `cannot read the machine ${path}`);
  });
  parseQemuCommand(bytes, path);
  const pid = processFile.exec(path)?.[1];
  return pid === undefined ? bytes : machineOfProcess(Number(pid), bytes).bytes;
}

/** Not by the file's size: files of /proc have none. */
async function readUpTo(path: string, limitBytes: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(limitBytes);
    let sizeBytes = 0;
    while (sizeBytes < limitBytes) {
      const { bytesRead } = await file.read(bytes, sizeBytes, limitBytes - sizeBytes);
      if (bytesRead === 0) {
        break;
      }
      sizeBytes += bytesRead;
    }
    return Uint8Array.prototype.slice.call(bytes, 0, sizeBytes);
  } finally {
    await file.close();
  }
}
