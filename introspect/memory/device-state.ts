// The CPUs of a device state that stands in a file of its own beside the RAM: a migration stream without RAM in it, or
// one that libvirt wrote its header before.
import { ParsError } from '../pars-error.js';
import type { CpuStates } from './cpu-state.js';
import { readSaveHead } from './formats/libvirt-save.js';
import { ImageFile } from './image-file.js';
import { decodeMigrationStream } from './migration/decode.js';
import { decodeCpus } from './migration/decode-cpus.js';

/**
 * What the file says of the CPUs. A file that is no stream of QEMU's may be the state of another hypervisor: then nothing
 * is known of them. Throws `image-invalid` when there is no such file.
 */
export function readCpuStates(path: string): CpuStates {
  return usingFile(path, (file) => {
    try {
      const head = readSaveHead(file);
      if (head?.program !== undefined) {
        return { known: false, reason: 'the device state is compressed' };
      }
      const { rest } = decodeMigrationStream(file, head?.bytes.length ?? 0);
      return decodeCpus(file, rest);
    } catch (error) {
      if (error instanceof ParsError) {
        return { known: false, reason: `the device state does not tell: ${error.message}` };
      }
      throw error;
    }
  });
}

/** Opens the device state. An error says that of the two files which an upload reads it is this one. */
function openState(path: string): ImageFile {
  try {
    return ImageFile.open(path);
  } catch (error) {
    throw error instanceof ParsError
      ? new ParsError(error.code, `the device state: ${error.message}`, { cause: error })
      : error;
  }
}

function usingFile<T>(path: string, use: (file: ImageFile) => T): T {
  const file = openState(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}
