// Which image of the command line a disk of the running VM stands for. QEMU may have put other files in its place since:
// `-snapshot` and snapshots lay an overlay over it, a copy moves it. What is restored takes the place that the command line
// has for the disk, so it goes by the device and what lies under the image, and not by the image's own name alone. Pure.
import { isAbsolute, resolve } from 'node:path';
import { imageOfOption } from '../../qemu/disk-images.js';
import { settingOf } from '../../qemu/option-value.js';
import type { QemuOption } from '../../qemu/qemu-command.js';
import { namesPath } from '../../resume/replace-path.js';
import { isAddress } from '../../trust/host-paths.js';
import type { ImageLayer, VmDisk } from '../vm-facts.js';

/** A node, its file, a filter between: QEMU has no use for more. */
const deepestChain = 16;

/** `startFolder`: relative paths that QEMU says are below it; undefined when nobody knows. */
export function placeDisks(
  disks: readonly VmDisk[],
  options: readonly QemuOption[],
  startFolder: string | undefined,
): readonly VmDisk[] {
  const absoluteDisks = disks.map((disk) => ({
    ...disk,
    sourcePath: absolute(disk.sourcePath, startFolder),
    layers: disk.layers.map(({ path, format }) => ({ path: absolute(path, startFolder), format })),
  }));
  const places = absoluteDisks.map((disk) => placeOf(disk, options));
  return absoluteDisks.map((disk, index) => {
    const { path, format } = places[index];
    // Two disks over one base: each is named by what it alone has.
    const isShared = places.some((other, at) => at !== index && other.path === path);
    return isShared ? disk : { ...disk, sourcePath: path, sourceFormat: format };
  });
}

function placeOf(disk: VmDisk, options: readonly QemuOption[]): ImageLayer {
  const { layers } = disk;
  const said = imageByDevice(disk, options);
  if (said !== undefined) {
    const layer = layers.find(({ path }) => path === said.path);
    return { path: said.path, format: said.format ?? layer?.format ?? disk.sourceFormat };
  }
  return (
    layers.find(({ path }) => namesPath(options, path)) ?? {
      path: disk.sourcePath,
      format: disk.sourceFormat,
    }
  );
}

/** By the ids that the command line gave: of the drive, or of the device and the node or drive that it has. */
function imageByDevice(
  { driveId, deviceId }: VmDisk,
  options: readonly QemuOption[],
): { readonly path: string; readonly format: string | undefined } | undefined {
  const device =
    deviceId === undefined
      ? undefined
      : options.find(
          ({ name, value }) => name === 'device' && settingOf(value ?? '', 'id') === deviceId,
        );
  const names = [driveId, settingOf(device?.value ?? '', 'drive')];
  for (const name of names) {
    const image = name === undefined || name === '' ? undefined : imageNamed(name, options);
    if (image !== undefined) {
      return image;
    }
  }
  return undefined;
}

function imageNamed(
  name: string,
  options: readonly QemuOption[],
): { readonly path: string; readonly format: string | undefined } | undefined {
  let format: string | undefined;
  let wanted = name;
  for (let depth = 0; depth < deepestChain; depth++) {
    const option = options.find(
      (entry) =>
        (entry.name === 'drive' && settingOf(entry.value ?? '', 'id') === wanted) ||
        (entry.name === 'blockdev' && settingOf(entry.value ?? '', 'node-name') === wanted),
    );
    if (option === undefined) {
      return undefined;
    }
    const value = option.value ?? '';
    format ??= settingOf(value, 'format') ?? settingOf(value, 'driver');
    const path = imageOfOption(option);
    if (path !== undefined) {
      return { path, format };
    }
    wanted = settingOf(value, 'file') ?? '';
  }
  return undefined;
}

function absolute(path: string, startFolder: string | undefined): string {
  return startFolder === undefined || isAbsolute(path) || isAddress(path)
    ? path
    : resolve(startFolder, path);
}
