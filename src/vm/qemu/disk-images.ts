// The disk images that a machine writes to. Disks must be those of the snapshot's moment, so one may stand elsewhere.
//
// Firmware variables (pflash), CD-ROMs, read-only images and images below another (backing) are not the machine's disk.
import { isOn, mapSettings, settingOf, settingsOf } from './option-value.js';
import type { QemuOption } from './qemu-command.js';

export interface DiskImage {
  readonly path: string;
  /** The command line's option that names it. */
  readonly option: QemuOption;
  /** The key of the setting that names it; undefined when the option's whole value does. */
  readonly key: string | undefined;
}

/** An image that QEMU opens for writing, be it a disk of the machine's or its firmware's variables. */
export interface WrittenImage extends DiskImage {
  /** What is written goes to a file of QEMU's own, which ends with it (`snapshot=on`). */
  readonly isDiscarded: boolean;
}

const diskOptions: ReadonlySet<string> = new Set([
  ...['', 'hda', 'hdb', 'hdc', 'hdd', 'mtdblock', 'sd'],
]);
const otherImageOptions: ReadonlySet<string> = new Set(['fda', 'fdb', 'pflash']);
const fileKey = /^(?:file\.)*filename$/;
const readOnlyKey = /^(?:file\.)*read-?only$/;

/** In the order of the command line. */
export function writableDisks(options: readonly QemuOption[]): readonly DiskImage[] {
  return imagesIn(options, { withFirmware: false });
}

/** All that is opened for writing, in the order of the command line. */
export function writtenImages(options: readonly QemuOption[]): readonly WrittenImage[] {
  return imagesIn(options, { withFirmware: true }).map((image) => ({
    ...image,
    isDiscarded:
      image.option.name === 'drive' && isOn(settingOf(image.option.value ?? '', 'snapshot')),
  }));
}

function imagesIn(
  options: readonly QemuOption[],
  { withFirmware }: { readonly withFirmware: boolean },
): readonly DiskImage[] {
  const isLockedNode = lockedNodes(options, withFirmware);
  return options.flatMap((option): readonly DiskImage[] => {
    const { name, value } = option;
    if (value === undefined) {
      return [];
    }
    if (diskOptions.has(name) || (withFirmware && otherImageOptions.has(name))) {
      return [{ path: value, option, key: undefined }];
    }
    const isDisk =
      name === 'drive'
        ? isWritableDrive(value, withFirmware)
        : name === 'blockdev' && !isLockedNode(settingOf(value, 'node-name'));
    const image = isDisk ? imageIn(value, name === 'drive') : undefined;
    return image === undefined ? [] : [{ ...image, option }];
  });
}

export function withDiskPath(
  options: readonly QemuOption[],
  disk: DiskImage,
  path: string,
): readonly QemuOption[] {
  const { key } = disk;
  return options.map((option) => {
    const { name, value } = option;
    if (option !== disk.option || value === undefined) {
      return option;
    }
    if (key === undefined) {
      return { name, value: path };
    }
    return {
      name,
      value: mapSettings(value, (setting) => (setting.key === key ? path : setting.value)),
    };
  });
}

/** The file that a -drive or -blockdev opens itself; undefined where it is over another node. */
export function imageOfOption({ name, value = '' }: QemuOption): string | undefined {
  return imageIn(value, name === 'drive')?.path;
}

function imageIn(value: string, isDrive: boolean): Omit<DiskImage, 'option'> | undefined {
  const setting = settingsOf(value).findLast(
    ({ key }) => fileKey.test(key) || (isDrive && key === 'file'),
  );
  return setting === undefined ? undefined : { path: setting.value, key: setting.key };
}

function isWritableDrive(value: string, withFirmware: boolean): boolean {
  return (
    !isReadOnly(value) &&
    settingOf(value, 'media') !== 'cdrom' &&
    (withFirmware || settingOf(value, 'if') !== 'pflash')
  );
}

function isReadOnly(value: string): boolean {
  return settingsOf(value).some((setting) => readOnlyKey.test(setting.key) && isOn(setting.value));
}

/** Nodes that are read-only, below one that is, below another image, or firmware. */
function lockedNodes(
  options: readonly QemuOption[],
  withFirmware: boolean,
): (name: string | undefined) => boolean {
  const nodes = options.flatMap(({ name, value }) =>
    name === 'blockdev' && value !== undefined ? [value] : [],
  );
  const locked = new Set<string>();
  for (const { name, value } of options) {
    if (name === 'machine' && value !== undefined && !withFirmware) {
      for (const key of ['pflash0', 'pflash1']) {
        locked.add(settingOf(value, key) ?? '');
      }
    }
  }
  for (const value of nodes) {
    locked.add((isReadOnly(value) ? settingOf(value, 'node-name') : undefined) ?? '');
    locked.add(settingOf(value, 'backing') ?? '');
  }
  // QEMU wants a node before those that use it, so backwards every user comes before what it uses.
  for (const value of nodes.toReversed()) {
    if (locked.has(settingOf(value, 'node-name') ?? '')) {
      locked.add(settingOf(value, 'file') ?? '');
    }
  }
  locked.delete('');
  return (name) => name !== undefined && locked.has(name);
}
