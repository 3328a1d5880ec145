// What `pars upload` stores: an image with what was named beside it, or a folder that a capture or the spool wrote.
import { join, resolve } from 'node:path';
import type { ImageFormat } from '../../../introspect/memory/memory-image.js';
import { expectOwnFolder } from '../../host/own-folder.js';
import type { DiskToStore } from '../../snapshot/disk-to-store.js';
import { type Captured, readCaptured } from '../../spool/captured.js';

export interface UploadSource {
  readonly imagePath: string;
  readonly format: ImageFormat | undefined;
  readonly statePath: string | undefined;
  readonly machinePath: string | undefined;
  /** Disks of the image's moment that are to be stored with it. */
  readonly disks: readonly DiskToStore[];
  readonly vm: string;
  /** Which VM it is, apart from its name; undefined where nobody says. */
  readonly identity?: Captured['identity'] | undefined;
  /** The moment of the snapshot; undefined: now. */
  readonly createdMs: number | undefined;
  /** How a running VM was captured, where that is known. */
  readonly capture?: { readonly way: string; readonly downtimeMs: number } | undefined;
  /** Throws when something writes to the image; undefined for one that is a capture of ours. */
  readonly expectStill?: (() => Promise<void>) | undefined;
}

/** Throws as `readCaptured` does, and `permission-denied` for a folder that somebody else can change. */
export async function capturedSource(folder: string): Promise<UploadSource> {
  // Names in it would lead where he likes.
  expectOwnFolder(resolve(folder), {
    what: 'the captured snapshot',
    remedy: 'name its files one by one',
  });
  const { image, state, machine, disks, vm, identity, createdMs, way, downtimeMs } =
    await readCaptured(folder);
  const pathOf = (name: string): string => join(resolve(folder), name);
  return {
    imagePath: pathOf(image.file),
    format: image.format,
    statePath: state === undefined ? undefined : pathOf(state),
    machinePath: machine === undefined ? undefined : pathOf(machine),
    disks: disks.map(({ file, ...disk }) => ({ ...disk, path: pathOf(file) })),
    vm,
    identity,
    createdMs,
    capture: way === undefined || downtimeMs === undefined ? undefined : { way, downtimeMs },
  };
}
