// Character devices: what the old short forms open, and which of them QEMU takes commands from. Whoever writes to a monitor
// runs programs of the host, so it may only be a terminal, nothing at all, or a socket that `--trust-path` named.
import { bashQuote } from '../qemu/bash-quote.js';
import type { QemuOption } from '../qemu/qemu-command.js';
import type { AllowedPaths } from './effects.js';
import type { Judged } from './judge-path.js';
import { namedSettings } from './option-text.js';

const quietCharacter = /^(?:none|null|stdio|vc(?::[\dxXC]*)?|pty|msmouse|chardev:[\w.-]+)$/;

export function judgeCharacter(
  value: string,
  allowed: AllowedPaths,
  commandsQemu: boolean,
): readonly Judged[] {
  const device = value.replace(/^mon:/, '');
  const takesCommands = commandsQemu || device !== value;
  if (quietCharacter.test(device)) {
    return [];
  }
  const path = /^(?:(?:file|pipe|unix):)?(\/.*)$/s.exec(device)?.[1];
  // Of a socket, what follows the comma is about it.
  const isSocket = device.startsWith('unix:');
  const bare = isSocket ? path?.split(',', 1)[0] : path;
  const isNamed = bare !== undefined && allowed.named.has(bare);
  if (isNamed && (isSocket || !takesCommands)) {
    return [];
  }
  const isReached =
    commandsQemu && (isNamed || /^(?:unix|tcp|telnet|websocket|tn3270):/.test(device));
  return [
    {
      effect: isReached ? 'listens' : bare === undefined ? 'connects' : 'opens',
      ...(isReached || (isNamed && takesCommands)
        ? { why: 'whoever reaches it commands QEMU, and by it runs programs of the host' }
        : bare === undefined
          ? {}
          : { why: `opens ${bashQuote(bare)} of the host` }),
      ...(bare === undefined || isNamed ? {} : { path: bare }),
    },
  ];
}

const monitorOptions: ReadonlySet<string> = new Set([
  ...['monitor', 'qmp', 'qmp-pretty', 'gdb', 'qtest'],
]);
const quietBackends: ReadonlySet<string> = new Set(['stdio', 'vc', 'pty', 'null']);

/** The options by which QEMU takes commands from a character device that others may write to, or that is not known. */
export function monitorProblems(
  options: readonly QemuOption[],
  { named }: AllowedPaths,
): ReadonlySet<QemuOption> {
  const isQuietById = new Map<string, boolean>();
  for (const { name, value = '' } of options) {
    if (name === 'chardev') {
      const settings = namedSettings(value);
      const valuesOf = (...keys: readonly string[]): readonly string[] =>
        settings.flatMap((setting) => (keys.includes(setting.key) ? [setting.value] : []));
      const backends = valuesOf('', 'backend');
      const paths = valuesOf('path');
      const isQuiet =
        backends.length > 0 &&
        (backends.every((backend) => quietBackends.has(backend)) ||
          (backends.every((backend) => backend === 'socket') &&
            paths.length > 0 &&
            paths.every((path) => named.has(path))));
      // Which of several counts depends on how QEMU reads the option.
      for (const id of valuesOf('id')) {
        isQuietById.set(id, isQuiet && isQuietById.get(id) !== false);
      }
    }
  }
  return new Set(
    options.filter((option) => monitorsIn(option).some((id) => isQuietById.get(id) !== true)),
  );
}

/** The character devices, by their ids, that the option has QEMU take commands from. */
function monitorsIn({ name, value = '' }: QemuOption): readonly string[] {
  if (name === 'mon') {
    return namedSettings(value).flatMap((setting) =>
      setting.key === '' || setting.key === 'chardev' ? [setting.value] : [],
    );
  }
  const device = value.replace(/^mon:/, '');
  const id = /^chardev:(.*)$/s.exec(device)?.[1];
  return id !== undefined && (monitorOptions.has(name) || device !== value) ? [id] : [];
}
