// The disks of a VM as they are named on a command line, `[NAME=]PATH`, and which of the guest's disks each of them is.
import type { FilePlaces } from '../../introspect/heal/file-places.js';
import { virtualDisk } from '../../introspect/mm/cache/mapping.js';
import { ParsError } from '../../introspect/pars-error.js';
import { DiskImage } from './disk-image.js';

export interface DiskArgument {
  /** The guest's name of the disk; undefined where it has one only. */
  readonly name: string | undefined;
  readonly path: string;
}

/** A disk of the guest, and where its bytes are on this host. */
export interface GuestDisk {
  /** `gendisk.disk_name`, such as vda. */
  readonly name: string;
  readonly image: DiskImage;
}

/** A page's disk is kept in a byte. */
const diskLimit = 255;
/** How many of the names that a guest has for disks a warning shows. */
const namesShown = 8;

/** Throws `usage` when `text` is not `[NAME=]PATH`. A path with `=` in its first part is written `./a=b`. */
export function parseDiskArgument(text: string): DiskArgument {
  const equals = text.indexOf('=');
  const isNamed = equals >= 0 && !text.slice(0, equals).includes('/');
  const name = isNamed ? text.slice(0, equals) : undefined;
  const path = isNamed ? text.slice(equals + 1) : text;
  if (path === '') {
    throw new ParsError(
      'usage',
      `expected a disk as [NAME=]PATH, such as vda=/images/vm.raw; found ${JSON.stringify(text)}`,
    );
  }
  if (name !== undefined && !virtualDisk.test(name)) {
    throw new ParsError(
      'usage',
      `${JSON.stringify(name)} is no disk as a guest names it: expected vda, sda, xvda, nvme0n1 or the like before the ` +
        `"=" of ${JSON.stringify(text)}; a path with a "=" is written ./${text}`,
    );
  }
  return { name, path };
}

/** The disks that pages of the guest's cache lie on, by name. */
export function diskNames({ file, fileVolume, volumes }: FilePlaces): readonly string[] {
  const isUsed = new Uint8Array(volumes.length);
  for (const row of file) {
    isUsed[fileVolume[row]] = 1;
  }
  return [...new Set(volumes.filter((_, row) => isUsed[row] === 1).map(({ disk }) => disk))].sort();
}

/**
 * What the guest's memory has to say of a disk that was given without a name: the one that it names, or a warning where it
 * names several, or one that is another's. No error, since the guest could then stop its own backup by what it names.
 */
export function nameForUnnamed(
  disks: readonly DiskArgument[],
  names: readonly string[],
): { readonly name: string | undefined; readonly warning?: string } {
  const unnamed = disks.filter(({ name }) => name === undefined);
  if (unnamed.length === 0 || names.length === 0) {
    return { name: undefined };
  }
  const [name] = names;
  return names.length === 1 && unnamed.length === 1 && disks.every((disk) => disk.name !== name)
    ? { name }
    : {
        name: undefined,
        warning:
          `the guest has cached bytes of ${names.slice(0, namesShown).join(', ')}` +
          `${names.length > namesShown ? ` and ${names.length - namesShown} more disks` : ''}, and which of them ` +
          `${unnamed.map(({ path }) => path).join(', ')} is, is not clear: nothing is compared with it; give it as NAME=PATH`,
      };
}

/**
 * Opens the disks and says which is which. `names`: those that bytes are wanted from. A disk without a name is the only
 * one of those; where bytes of no disk are wanted, it is looked at and left.
 *
 * Throws `usage` where that is not clear, and what `DiskImage.open` throws; nothing stays open then.
 */
export function openGuestDisks(
  disks: readonly DiskArgument[],
  names: readonly string[],
): readonly GuestDisk[] {
  const named = disks.map(({ name, path }) => ({ path, name: name ?? onlyName(names, path) }));
  const twice = named.find(
    ({ name }, at) => name !== undefined && named.findIndex((disk) => disk.name === name) < at,
  );
  if (twice?.name !== undefined) {
    throw new ParsError('usage', `the disk ${twice.name} is named twice, last as ${twice.path}`);
  }
  if (disks.length > diskLimit) {
    throw new ParsError('usage', `expected at most ${diskLimit} disks, found ${disks.length}`);
  }
  const opened: GuestDisk[] = [];
  try {
    for (const { name, path } of named) {
      const image = DiskImage.open(path);
      if (name === undefined) {
        image.close();
      } else {
        opened.push({ name, image });
      }
    }
    return opened;
  } catch (error) {
    closeGuestDisks(opened);
    throw error;
  }
}

export function closeGuestDisks(disks: readonly GuestDisk[]): void {
  for (const { image } of disks) {
    image.close();
  }
}

/**
 * The guest's name of a disk that was given without one; undefined where the guest has none. Throws `usage` where it has
 * several.
 */
function onlyName(names: readonly string[], path: string): string | undefined {
  if (names.length > 1) {
    throw new ParsError(
      'usage',
      `the guest has cached bytes of the disks ${names.join(', ')}: say which of them ${path} is, as NAME=${path}`,
    );
  }
  return names.at(0);
}
