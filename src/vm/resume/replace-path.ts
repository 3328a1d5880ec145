// `--replace OLD=NEW`: another path wherever the command line names one, be it a disk, a socket or a firmware file.
//
// A path is a whole value: of an option (-kernel), of a setting (file=...), or behind a scheme (unix:...).
import { ParsError } from '../../../introspect/pars-error.js';
import { mapSettings } from '../qemu/option-value.js';
import type { QemuOption } from '../qemu/qemu-command.js';

export interface Replacement {
  readonly oldPath: string;
  readonly newPath: string;
}

/** Options whose whole value is one path, commas and all. */
const pathOptions: ReadonlySet<string> = new Set([
  ...['', 'D', 'L', 'bios', 'cdrom', 'chroot', 'dtb', 'fda', 'fdb', 'hda', 'hdb', 'hdc', 'hdd'],
  ...['initrd', 'kernel', 'mem-path', 'mtdblock', 'pflash', 'readconfig', 'sd', 'shim'],
]);

/** Words for the guest, in which a path is none of the host's. */
const guestOptions: ReadonlySet<string> = new Set(['append', 'name']);

/** Character devices that take all that follows as the path, commas and all. */
const plainScheme = /^((?:file|pipe):)(.*)$/s;
const scheme = /^([a-z][a-z0-9+]*:)(.*)$/s;
const shownPathCount = 20;

/** The first `=` divides, as a path before it seldom holds one. Throws `usage`. */
export function parseReplacement(text: string): Replacement {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new ParsError('usage', `--replace: expected OLD=NEW, found ${JSON.stringify(text)}`);
  }
  return { oldPath: text.slice(0, at), newPath: text.slice(at + 1) };
}

/** Throws `usage` when an old path is named nowhere, or twice by the replacements. */
export function replacePaths(
  options: readonly QemuOption[],
  replacements: readonly Replacement[],
): readonly QemuOption[] {
  const newPaths = new Map<string, string>();
  for (const { oldPath, newPath } of replacements) {
    if (newPaths.has(oldPath)) {
      throw new ParsError('usage', `--replace names ${oldPath} twice`);
    }
    newPaths.set(oldPath, newPath);
  }
  const found = new Set<string>();
  const replaced = mapPaths(options, (path) => {
    found.add(path);
    return newPaths.get(path) ?? path;
  });
  const missing = [...newPaths.keys()].find((path) => !found.has(path));
  if (missing !== undefined) {
    throw new ParsError(
      'usage',
      `--replace ${missing}: the machine's command line does not name that path; it names ${shown(found)}`,
    );
  }
  return replaced;
}

/** Whether the command line names the path anywhere, so that it can be replaced. */
export function namesPath(options: readonly QemuOption[], wanted: string): boolean {
  let isNamed = false;
  mapPaths(options, (path) => {
    isNamed ||= path === wanted;
    return path;
  });
  return isNamed;
}

function shown(values: ReadonlySet<string>): string {
  const paths = [...values].filter((value) => value.includes('/'));
  const more = paths.length - shownPathCount;
  return paths.length === 0
    ? 'none'
    : paths.slice(0, shownPathCount).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** `change` is asked for every value that may be a path. */
function mapPaths(
  options: readonly QemuOption[],
  change: (path: string) => string,
): readonly QemuOption[] {
  return options.map((option) => {
    const { name, value } = option;
    if (value === undefined || guestOptions.has(name)) {
      return option;
    }
    if (pathOptions.has(name)) {
      return { name, value: change(value) };
    }
    const plain = plainScheme.exec(value);
    if (plain !== null) {
      return { name, value: `${plain[1]}${change(plain[2])}` };
    }
    return { name, value: mapSettings(value, (setting) => changeWithin(setting.value, change)) };
  });
}

function changeWithin(value: string, change: (path: string) => string): string {
  const whole = change(value);
  const parts = whole === value ? scheme.exec(value) : null;
  return parts === null ? whole : `${parts[1]}${change(parts[2])}`;
}
