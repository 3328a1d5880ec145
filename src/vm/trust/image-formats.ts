// A restored disk holds what the guest wrote. Opened in a format that it was not stored in, or in one that QEMU guesses from
// its first bytes, the guest's own bytes are taken for the image's structure, which can name any file of the host as what
// lies under it. So each restored disk is opened in the format that it has, said on the command line.
import { settingOf, settingsOf } from '../option-value.js';
import type { QemuOption } from '../qemu-command.js';
import type { AllowedPaths } from './effects.js';

const imageOptions: ReadonlySet<string> = new Set([
  ...['', 'hda', 'hdb', 'hdc', 'hdd', 'cdrom', 'fda', 'fdb', 'sd', 'mtdblock', 'pflash'],
]);
/** Nodes over others that are no formats. */
const plainDrivers: ReadonlySet<string> = new Set([
  ...['raw', 'file', 'host_device', 'host_cdrom', 'throttle', 'copy-on-read', 'preallocate'],
]);
const driverKey = /^(?:file\.)*(?:driver|format)$/;
const fileKey = /^(?:file\.)*filename$/;
const referenceKey = /^(?:file\.)*file$/;
const maxNodes = 64;

/** For each option that opens a restored disk so, what is wrong with that. */
export function formatProblems(
  options: readonly QemuOption[],
  { restored }: AllowedPaths,
): ReadonlyMap<QemuOption, string> {
  const problems = new Map<QemuOption, string>();
  const nodes = new Map<string, string>();
  for (const { name, value = '' } of options) {
    const node = name === 'blockdev' ? settingOf(value, 'node-name') : undefined;
    if (node !== undefined) {
      nodes.set(node, value);
    }
  }
  for (const option of options) {
    const chain = chainOf(option, nodes);
    const format = chain === undefined ? undefined : restored.get(chain.path);
    const wrong = chain?.formats.find((said) => said !== format);
    if (format !== undefined && chain !== undefined && (chain.isGuessed || wrong !== undefined)) {
      problems.set(
        option,
        chain.isGuessed
          ? 'its format is not said, and QEMU would guess it from what the guest wrote'
          : `it is ${format}, and as ${wrong} what the guest wrote could lead to any file of the host`,
      );
    }
  }
  return problems;
}

interface ImageChain {
  readonly path: string;
  /** Of all layers over the file that read a structure out of it. */
  readonly formats: readonly string[];
  /** Whether QEMU is to find out one of them. */
  readonly isGuessed: boolean;
}

/** Undefined where the option names no image. */
function chainOf(
  { name, value = '' }: QemuOption,
  nodes: ReadonlyMap<string, string>,
): ImageChain | undefined {
  if (imageOptions.has(name)) {
    return { path: value, formats: [], isGuessed: true };
  }
  if (name !== 'drive' && name !== 'blockdev') {
    return undefined;
  }
  const drivers: string[] = [];
  let at: string | undefined = value;
  for (let depth = 0; at !== undefined && depth < maxNodes; depth++) {
    const settings = settingsOf(at);
    drivers.push(...settings.filter(({ key }) => driverKey.test(key)).map((found) => found.value));
    const under = settings.findLast(({ key }) => fileKey.test(key));
    const file = settings.findLast(({ key }) => referenceKey.test(key))?.value;
    const path = under?.value ?? (name === 'drive' ? file : undefined);
    if (path !== undefined) {
      return {
        path,
        formats: drivers.filter((driver) => !plainDrivers.has(driver)),
        isGuessed:
          name === 'drive' && settings.every(({ key }) => key !== 'format' && key !== 'driver'),
      };
    }
    at = nodes.get(file ?? '');
  }
  return undefined;
}
