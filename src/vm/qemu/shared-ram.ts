// RAM that is a file: `-object memory-backend-file,mem-path=...,share=on`. A resumed VM must not get the file of the VM
// that was saved, which may still be running.
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { isOn, mapSettings, settingOf } from './option-value.js';
import type { QemuOption } from './qemu-command.js';
import { parseSize } from './size.js';

export interface RamFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The machine on the restored RAM. Throws `usage` unless it has one such file, of the same size. */
export function useRestoredRam(
  options: readonly QemuOption[],
  ram: RamFile,
): readonly QemuOption[] {
  const shared = options.filter(isSharedRam);
  if (shared.length !== 1) {
    throw new ParsError(
      'usage',
      'the device state was saved without the RAM (capability x-ignore-shared), so the machine must have its RAM in one ' +
        `file: expected one -object memory-backend-file,...,share=on, found ${found(options, shared.length)}`,
    );
  }
  const size = settingOf(shared[0].value, 'size') ?? 'none';
  const sizeBytes = parseSize(size);
  if (sizeBytes !== ram.sizeBytes) {
    throw new ParsError(
      'usage',
      `the machine's RAM has the size ${size}${sizeBytes === undefined ? '' : ` (${sizeBytes} bytes)`}, ` +
        `the restored RAM ${ram.path} has ${ram.sizeBytes} bytes: is this the machine that was saved?`,
    );
  }
  return options.map((option) => (option === shared[0] ? withPath(shared[0], ram.path) : option));
}

/** For RAM that comes from a stream: every such file is a new one in the folder, but those that the user chose. */
export function useNewRam(
  options: readonly QemuOption[],
  folder: string,
  chosenPaths: ReadonlySet<string>,
): readonly QemuOption[] {
  let count = 0;
  return options.map((option) => {
    if (!isSharedRam(option) || chosenPaths.has(settingOf(option.value, 'mem-path') ?? '')) {
      return option;
    }
    count++;
    return withPath(option, newRamPath(folder, count));
  });
}

const newRamPath = (folder: string, number: number): string => join(folder, `vm-ram-${number}`);
const maxNewRamFiles = 64;

/** Every path that `useNewRam` may give; a machine with more of them than any has gets the rest refused. */
export function newRamPaths(folder: string): readonly string[] {
  return Array.from({ length: maxNewRamFiles }, (_, index) => newRamPath(folder, index + 1));
}

interface SharedRam extends QemuOption {
  readonly value: string;
}

function isSharedRam(option: QemuOption): option is SharedRam {
  return (
    option.value !== undefined &&
    backendOf(option) === 'memory-backend-file' &&
    isOn(settingOf(option.value, 'share'))
  );
}

function withPath({ name, value }: SharedRam, path: string): QemuOption {
  return {
    name,
    value: mapSettings(value, (setting) => (setting.key === 'mem-path' ? path : setting.value)),
  };
}

function backendOf({ name, value }: QemuOption): string | undefined {
  if (name !== 'object' || value === undefined) {
    return undefined;
  }
  // The type may be written without its key.
  const type = settingOf(value, 'qom-type') ?? settingOf(value, '');
  return type?.startsWith('memory-backend') === true ? type : undefined;
}

function found(options: readonly QemuOption[], sharedCount: number): string {
  if (sharedCount > 1) {
    return `${sharedCount}, and which part of the restored RAM belongs to which is not known`;
  }
  const others = options.flatMap((option) => (backendOf(option) === undefined ? [] : [option]));
  return others.length === 0
    ? 'no memory backend'
    : others.map(({ value }) => `-object ${value ?? ''}`).join(' and ');
}
