// What a machine uses of its host that a snapshot of it does not hold: a resume will ask for some of it, and the rest must
// be there, and the same, on the host where it is resumed.
import type { QemuCommand } from './qemu/qemu-command.js';
import { planResume } from './resume/plan-resume.js';
import type { UnnamedUse } from './resume/unnamed-uses.js';
import { hostPathsIn } from './trust/host-paths.js';
import { isHarmlessDevice, isPackageFile } from './trust/safe-files.js';

/** No folder of a real restore: only what lies elsewhere is told. */
const someFolder = '/restored';

/** `sourcePaths`: of the disks that are stored. */
export function notHeld(
  command: QemuCommand,
  sourcePaths: readonly string[],
): readonly UnnamedUse[] {
  const { command: resumed, unnamedUses } = planResume({
    command,
    ram: undefined,
    folder: someFolder,
    replacements: [],
    restoredDisks: sourcePaths.map((sourcePath, index) => ({
      sourcePath,
      path: `${someFolder}/${index}`,
    })),
  });
  const used = new Set(unnamedUses.map(({ path }) => path));
  const read = hostPathsIn(resumed.options)
    .filter(({ path, use }) => {
      const isOwn = used.has(path) || path.startsWith(`${someFolder}/`);
      return (use === 'read' || use === 'image') && !isOwn;
    })
    .filter(({ path }) => !isPackageFile(path) && !isHarmlessDevice(path));
  return [
    ...unnamedUses,
    ...[...new Set(read.map(({ path }) => path))].map((path) => ({ path, why: 'the VM reads it' })),
  ];
}
