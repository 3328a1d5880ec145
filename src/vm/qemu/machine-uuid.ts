// The UUID that a machine was given on its command line, by -uuid or in its SMBIOS table.
import { settingOf } from './option-value.js';
import { parseQemuCommand } from './qemu-command.js';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What QEMU says where there is none. */
const noUuid = '00000000-0000-0000-0000-000000000000';

/** In small letters; undefined for what is none, or all zero. */
export function normalUuid(text: string | undefined): string | undefined {
  const uuid = text?.trim().toLowerCase();
  return uuid !== undefined && uuidPattern.test(uuid) && uuid !== noUuid ? uuid : undefined;
}

/** Undefined where the command line has none, or cannot be read. */
export function uuidOfMachine(commandLine: Uint8Array): string | undefined {
  try {
    const { options } = parseQemuCommand(commandLine, 'of the VM');
    const said = options.flatMap(({ name, value = '' }) =>
      name === 'uuid'
        ? [value]
        : name === 'smbios' && settingOf(value, 'type') === '1'
          ? [settingOf(value, 'uuid')]
          : [],
    );
    return said.map(normalUuid).findLast((uuid) => uuid !== undefined);
  } catch {
    return undefined;
  }
}
