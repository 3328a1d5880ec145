// Devices that a machine has got or lost since it was started. Its command line, which is what a snapshot keeps of a machine,
// does not say so, and QEMU takes a device state back only into the same machine. Pure.
import { settingOf } from './qemu/option-value.js';
import type { QemuCommand } from './qemu/qemu-command.js';

export interface ChangedDevices {
  /** By their ids: of a device without one, nothing tells whether the command line has it. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** `deviceIds`: of the devices that the machine has now. Nothing is said of a machine whose devices stand in a file of its own. */
export function changedDevices(
  { options }: QemuCommand,
  deviceIds: readonly string[],
): ChangedDevices {
  if (options.some(({ name }) => name === 'readconfig')) {
    return { added: [], removed: [] };
  }
  const started = options.flatMap(({ name, value = '' }) =>
    name === 'device' ? (settingOf(value, 'id') ?? []) : [],
  );
  return {
    added: deviceIds.filter((id) => !started.includes(id)),
    removed: started.filter((id) => !deviceIds.includes(id)),
  };
}
