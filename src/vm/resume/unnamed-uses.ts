// What a resumed VM would write to, or be connected to, that is neither restored nor in the restore's folder nor named by
// whoever resumes it: the disks, sockets and folders of the VM that it was saved from. That is refused, however far the
// snapshot is trusted, as it is not the snapshot's.
import { isAbsolute } from 'node:path';
import { bashQuote } from '../qemu/bash-quote.js';
import { writtenImages } from '../qemu/disk-images.js';
import type { QemuOption } from '../qemu/qemu-command.js';
import { hostPathsIn } from '../trust/host-paths.js';

export interface UnnamedUse {
  readonly path: string;
  /** To follow the path in a sentence. */
  readonly why: string;
}

/** `isOwn`: whether the path was restored, is below the restore's folder, or was named. Each path once. */
export function unnamedUses(
  options: readonly QemuOption[],
  isOwn: (path: string) => boolean,
): readonly UnnamedUse[] {
  const discards = options.some(({ name }) => name === 'snapshot');
  const images = writtenImages(options).map(({ path, isDiscarded }) => ({
    path,
    why:
      discards || isDiscarded
        ? 'what the VM had written over it was kept in no file (-snapshot)'
        : 'the VM would write to it',
  }));
  const others = hostPathsIn(options).flatMap(({ path, use }) =>
    use === 'client'
      ? [{ path, why: 'the VM would be connected to it in the place of the other one' }]
      : use === 'shared'
        ? [{ path, why: 'the VM would share it with the other one' }]
        : [],
  );
  const found = new Map<string, string>();
  for (const { path, why } of [...images, ...others]) {
    if (path !== '' && !isOwn(path) && !found.has(path)) {
      found.set(path, isAbsolute(path) ? why : `${why}, and in which folder that is nobody knows`);
    }
  }
  return [...found].map(([path, why]) => ({ path, why }));
}

export function unnamedUsesText(uses: readonly UnnamedUse[]): string {
  return (
    'the VM was not resumed, as it would use what belongs to the one that it was saved from: ' +
    uses.map(({ path, why }) => `${bashQuote(path)} (${why})`).join(', ') +
    '; --replace OLD=NEW gives it another, such as a copy, and --trust-path PATH lets it have that one'
  );
}
