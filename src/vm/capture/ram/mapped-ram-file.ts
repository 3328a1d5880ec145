// The file that QEMU says is the VM's RAM, if it is that: its name may lead to another by now, or to a folder in which the
// real one has no name (huge pages).
import { statSync } from 'node:fs';
import { isWriterOf } from '../../../host/mapped-by.js';
import type { VmFacts } from '../vm-facts.js';

/** `pid`: of QEMU; undefined when it is not to be seen from here, and then nothing tells. */
export function mappedRamFile(
  { sharedRam, ramSizeBytes }: Pick<VmFacts, 'sharedRam' | 'ramSizeBytes'>,
  pid: number | undefined,
): VmFacts['sharedRam'] {
  if ('missing' in sharedRam) {
    return sharedRam;
  }
  const { path } = sharedRam;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true || stats.size !== ramSizeBytes) {
    return {
      missing: `${path} is not the file of its RAM (${stats === undefined ? 'there is none' : stats.isFile() ? `it has ${stats.size} bytes` : 'it is no file'})`,
    };
  }
  return pid !== undefined && isWriterOf(pid, path)
    ? sharedRam
    : { missing: `nothing shows that ${path} is the file that it has mapped` };
}
