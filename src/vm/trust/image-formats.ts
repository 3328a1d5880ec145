// A restored disk holds what the guest wrote. Opened in a format that it was not stored in, or in one that QEMU guesses from
// its first bytes, the guest's own bytes are taken for the image's structure, which can name any file of the host as what
// lies under it. So each restored disk is opened in the format that it has, said on the command line; and an image that was
// named by who restores, which the guest may have written too, in a format that is said.
import { type Setting, settingsOf } from '../qemu/option-value.js';
import type { QemuOption } from '../qemu/qemu-command.js';
import type { AllowedPaths } from './effects.js';

const imageOptions: ReadonlySet<string> = new Set([
  ...['', 'hda', 'hdb', 'hdc', 'hdd', 'cdrom', 'fda', 'fdb', 'sd', 'mtdblock', 'pflash'],
]);
/** Nodes over an image: what lies under them is guessed again, unless it is said. */
const filterDrivers: ReadonlySet<string> = new Set([
  ...['throttle', 'copy-on-read', 'compress', 'preallocate'],
]);
/** Nodes over others that are no formats. */
const plainDrivers: ReadonlySet<string> = new Set([
  ...['raw', 'file', 'host_device', 'host_cdrom'],
  ...filterDrivers,
]);
const driverKey = /^(?:file\.)*(?:driver|format)$/;
const fileKey = /^(?:file\.)*filename$/;
const referenceKey = /^(?:file\.)*file$/;
const maxNodes = 64;

/** For each option that opens an image so, what is wrong with that. */
export function formatProblems(
  options: readonly QemuOption[],
  allowed: AllowedPaths,
): ReadonlyMap<QemuOption, string> {
  const nodes = new Map<string, readonly Setting[]>();
  for (const { name, value = '' } of options) {
    const settings = name === 'blockdev' ? settingsOf(value) : [];
    for (const { key, value: node } of settings) {
      if (key === 'node-name') {
        nodes.set(node, settings);
      }
    }
  }
  const problems = new Map<QemuOption, string>();
  for (const option of options) {
    const problem = problemOf(chainOf(option, nodes), allowed);
    if (problem !== undefined) {
      problems.set(option, problem);
    }
  }
  return problems;
}

function problemOf(
  chain: ImageChain | string | undefined,
  { named, replaced, restored }: AllowedPaths,
): string | undefined {
  if (chain === undefined || typeof chain === 'string') {
    return chain;
  }
  const { path, formats, isGuessed } = chain;
  const format = restored.get(path);
  const isTheGuests = restored.has(path) || named.has(path) || replaced?.has(path) === true;
  if (isGuessed && isTheGuests) {
    return 'its format is not said, and QEMU would guess it from what the guest wrote';
  }
  const wrong = format === undefined ? undefined : formats.find((said) => said !== format);
  return wrong === undefined
    ? undefined
    : `it is ${format}, and as ${wrong} what the guest wrote could lead to any file of the host`;
}

interface ImageChain {
  readonly path: string;
  /** The formats of all layers over the file that read a structure out of it. */
  readonly formats: readonly string[];
  /** Whether QEMU is to find out one of them. */
  readonly isGuessed: boolean;
}

/** Undefined where the option names no image; a text where it cannot be followed to its file, which says why. */
function chainOf(
  { name, value = '' }: QemuOption,
  nodes: ReadonlyMap<string, readonly Setting[]>,
): ImageChain | string | undefined {
  if (imageOptions.has(name)) {
    return { path: value, formats: [], isGuessed: true };
  }
  if (name !== 'drive' && name !== 'blockdev') {
    return undefined;
  }
  const drivers: string[] = [];
  let at: readonly Setting[] | undefined = settingsOf(value);
  for (let depth = 0; depth < maxNodes; depth++) {
    drivers.push(...at.filter(({ key }) => driverKey.test(key)).map((found) => found.value));
    const isPath = ({ key }: Setting): boolean =>
      fileKey.test(key) || (name === 'drive' && key === 'file');
    const under = at.filter((setting) => isPath(setting) || referenceKey.test(setting.key));
    if (under.length > 1) {
      return 'it names more than one image or node under it, and which of them counts is not known here';
    }
    if (under.length === 0) {
      return undefined;
    }
    const [file] = under;
    if (isPath(file)) {
      return {
        path: file.value,
        formats: drivers.filter((driver) => !plainDrivers.has(driver)),
        isGuessed: isGuessed(at, file.key),
      };
    }
    at = nodes.get(file.value);
    if (at === undefined) {
      return 'it is over a node that no -blockdev of its own names, so what it opens is not known here';
    }
  }
  return `it is over more than ${maxNodes} nodes, so what it opens is not known here`;
}

/** Whether a layer over the file, or that of the file itself below a filter, has no driver that is said. */
function isGuessed(settings: readonly Setting[], fileKeyOfImage: string): boolean {
  // `file=PATH` is short for `file.filename=PATH`.
  const depth = fileKeyOfImage === 'file' ? 1 : fileKeyOfImage.split('.').length - 1;
  const driversAt = (level: number): readonly string[] => {
    const prefix = 'file.'.repeat(level);
    return settings
      .filter(({ key }) => key === `${prefix}driver` || key === `${prefix}format`)
      .map(({ value }) => value);
  };
  const above = Array.from({ length: depth }, (_, level) => driversAt(level));
  const own = driversAt(depth);
  const isFilter = (driver: string): boolean => filterDrivers.has(driver);
  const isOver = above.at(-1)?.some(isFilter) ?? true;
  return (
    above.some((drivers) => drivers.length === 0) ||
    (isOver && own.length === 0) ||
    own.some(isFilter)
  );
}
