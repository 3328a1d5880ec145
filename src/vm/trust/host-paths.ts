// Every value of a QEMU command line that names a file, folder, device or socket of the host, by the table of options
// (trust/option-rules.ts), and what the VM does with it.
import { isOn, mapSettings, type Setting, settingOf, settingsOf } from '../qemu/option-value.js';
import type { QemuOption } from '../qemu/qemu-command.js';
import { optionRules } from './option-rules.js';

export type HostUse =
  /** Opened as a disk, floppy or flash image. */
  | 'image'
  /** The file that holds RAM. */
  | 'memory'
  /** Made by QEMU, and others connect to it. */
  | 'server'
  /** Others have made it, and QEMU connects to it. */
  | 'client'
  /** Written to, from its beginning or end: logs and the like. */
  | 'output'
  /** A folder of the host that the guest reads and writes, or a device of the host. */
  | 'shared'
  /** Only read, or nobody knows. */
  | 'read';

export interface HostPath {
  readonly path: string;
  readonly option: QemuOption;
  readonly use: HostUse;
}

type Change = (path: HostPath) => string;
/** A `Change` for the paths of one option. */
type ChangeAs = (use: HostUse, path: string) => string;

/** What these write to, QEMU makes. */
const outputOptions: ReadonlySet<string> = new Set([
  ...['D', 'dump-vmstate', 'pidfile', 'qtest-log', 'writeconfig'],
]);
/** The key of a drive or node that says where its image lies. */
const imageKey = /^(?:file\.)*filename$/;

/** `change` is asked for every such value; what it gives takes its place. */
export function mapHostPaths(
  options: readonly QemuOption[],
  change: Change,
): readonly QemuOption[] {
  return options.map((option) => {
    const value = option.value === undefined ? undefined : changedValue(option, change);
    return value === option.value ? option : { name: option.name, value };
  });
}

export function hostPathsIn(options: readonly QemuOption[]): readonly HostPath[] {
  const found: HostPath[] = [];
  mapHostPaths(options, (path) => {
    found.push(path);
    return path.path;
  });
  return found;
}

/** Whether a value is an address of another kind, such as nbd://host/disk or fd:5, and no path. */
export function isAddress(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(value);
}

function changedValue(option: QemuOption, change: Change): string {
  const { name, value = '' } = option;
  const rule = Object.hasOwn(optionRules, name) ? optionRules[name] : undefined;
  const as: ChangeAs = (use, path) =>
    path === '' || isAddress(path) ? path : change({ path, option, use });
  switch (name) {
    case 'fsdev':
    case 'virtfs':
      return mapSettings(value, (setting) =>
        setting.key === 'path' ? as('shared', setting.value) : setting.value,
      );
    case 'vnc':
      return changedCharacter(value, (_, path) => as('server', path));
    case 'display':
      return mapSettings(value, (setting) =>
        setting.key === 'vnc'
          ? changedCharacter(setting.value, (_, path) => as('server', path))
          : setting.value,
      );
    case 'spice': {
      const isUnix = isOn(settingOf(value, 'unix'));
      return mapSettings(value, (setting) =>
        setting.key === 'addr' && isUnix ? as('server', setting.value) : setting.value,
      );
    }
    case 'net':
    case 'netdev':
    case 'nic':
      return changedNetwork(value, as);
    case 'readconfig':
      // More of the command line, which may name anything.
      return as('shared', value);
    case 'set': {
      const file = /^(drive\.[^=]*\.file=)(.*)$/s.exec(value);
      return file === null ? value : `${file[1]}${as('image', file[2])}`;
    }
  }
  switch (rule?.form) {
    case 'image':
      return as('image', value);
    case 'drive':
      return mapSettings(value, ({ key, value: path }) =>
        key === 'file' || imageKey.test(key) ? as('image', path) : path,
      );
    case 'node':
      return mapSettings(value, ({ key, value: path }) =>
        imageKey.test(key) ? as('image', path) : path,
      );
    case 'path':
      return as(useOfPathOption(name, rule.use), value);
    case 'character':
      return changedCharacter(value, as);
    case 'settings': {
      const settings = settingsOf(value);
      return mapSettings(value, (setting) =>
        rule.paths?.test(setting.key) === true
          ? as(useOfSetting(name, setting.key, settings), setting.value)
          : setting.value,
      );
    }
    case undefined:
    case 'harmless':
    case 'refused':
    case 'device':
    case 'global':
      return value;
  }
}

/** Sockets of stream and dgram (qapi/net.json), and of a switch (vde). */
function changedNetwork(text: string, as: ChangeAs): string {
  const settings = settingsOf(text);
  return mapSettings(text, ({ key, value }) => {
    switch (key) {
      case 'addr.path':
        return as(isServer(settings) ? 'server' : 'client', value);
      case 'local.path':
        return as('server', value);
      case 'remote.path':
      case 'sock':
        return as('client', value);
      default:
        return value;
    }
  });
}

function useOfPathOption(name: string, use: string): HostUse {
  return use === 'memory'
    ? 'memory'
    : outputOptions.has(name)
      ? 'output'
      : name === 'chroot'
        ? 'shared'
        : 'read';
}

function useOfSetting(name: string, key: string, settings: readonly Setting[]): HostUse {
  const kind = settings.find((setting) =>
    ['', 'backend', 'qom-type', 'driver'].includes(setting.key),
  );
  if (key === 'mem-path') {
    return 'memory';
  }
  if (key === 'logfile' || (name === 'trace' && key === 'file')) {
    return 'output';
  }
  switch (name) {
    case 'chardev':
      return key === 'path' ? useOfCharacter(kind?.value ?? '', settings) : 'read';
    case 'audiodev':
      return key === 'path' ? 'output' : 'client';
    case 'object':
      return kind?.value === 'filter-dump' ? 'output' : 'read';
    case 'tpmdev':
      return 'shared';
    default:
      return 'read';
  }
}

function useOfCharacter(backend: string, settings: readonly Setting[]): HostUse {
  switch (backend) {
    case 'socket':
      return isServer(settings) ? 'server' : 'client';
    case 'file':
      return 'output';
    case 'pipe':
      return 'client';
    default:
      return 'shared';
  }
}

/** `server` alone is short for `server=on`. */
function isServer(settings: readonly Setting[]): boolean {
  return settings.some(
    ({ key, value }) => (key === 'server' && isOn(value)) || (key === '' && value === 'server'),
  );
}

/** The old short forms: unix:PATH,server  file:PATH  pipe:PATH  /dev/ttyS0, each also behind mon: */
function changedCharacter(text: string, as: ChangeAs): string {
  const prefix = text.startsWith('mon:') ? 'mon:' : '';
  const device = text.slice(prefix.length);
  const plain = /^(file|pipe):(.*)$/s.exec(device);
  if (plain !== null) {
    const [, kind, path] = plain;
    return `${prefix}${kind}:${as(kind === 'file' ? 'output' : 'client', path)}`;
  }
  const socket = /^unix:([^,]*)(.*)$/s.exec(device);
  if (socket !== null) {
    const [, path, rest] = socket;
    const use = isServer(settingsOf(rest.slice(1))) ? 'server' : 'client';
    return `${prefix}unix:${as(use, path)}${rest}`;
  }
  return device.startsWith('/') ? `${prefix}${as('shared', device)}` : text;
}
