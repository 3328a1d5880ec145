// What a capture gave, as `captured.json` has it.
import { basename, dirname } from 'node:path';
import type { Capture } from '../vm/capture/capture.js';
import type { Captured } from './captured.js';

export interface CapturedVm {
  readonly vm: string;
  readonly source: string;
  readonly folder: string;
  readonly capture: Capture;
  readonly identity: NonNullable<Captured['identity']>;
}

/** Throws when a file is not in the folder itself: none else can be named. */
export function capturedOf({ vm, source, folder, capture, identity }: CapturedVm): Captured {
  const nameOf = (path: string): string => {
    if (dirname(path) !== folder) {
      throw new Error(`expected a captured file in ${folder}, found ${path}`);
    }
    return basename(path);
  };
  const { statePath, machinePath } = capture;
  return {
    version: 1,
    vm,
    identity,
    createdMs: capture.createdMs,
    source,
    image: { file: nameOf(capture.imagePath), format: capture.format },
    ...(statePath === undefined ? {} : { state: nameOf(statePath) }),
    ...(machinePath === undefined ? {} : { machine: nameOf(machinePath) }),
    disks: capture.disks.map(({ name, path, sourcePath, sourceFormat, wasEncrypted }) => ({
      name,
      file: nameOf(path),
      sourcePath,
      sourceFormat,
      ...(wasEncrypted === true ? { wasEncrypted } : {}),
    })),
    downtimeMs: capture.downtimeMs,
    way: capture.way,
  };
}
