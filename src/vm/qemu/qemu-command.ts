// A VM's machine as the command line of its QEMU, which takes a device state back only into the machine it came from.
//
// Two forms are read: /proc/PID/cmdline as it is, words that each end in a NUL byte, and a JSON array of strings. Words
// become options, since only then is `-S` told from the value of `-append`.
import { ParsError } from '../../../introspect/pars-error.js';
import { parsePeerJson } from '../../../introspect/peer-json.js';

/** Command lines of libvirt have some ten kilobytes. */
export const maxMachineBytes = 2 ** 20;

export interface QemuOption {
  /** Without the dash; empty for a disk image that stands alone. */
  readonly name: string;
  readonly value: string | undefined;
}

export interface QemuCommand {
  readonly program: string;
  readonly options: readonly QemuOption[];
}

/** Options without a value, of QEMU 2.0 to 10. All others take the next word. */
const flags: ReadonlySet<string> = new Set([
  ...['S', 'alt-grab', 'async-teardown', 'audio-help', 'ctrl-grab', 'curses', 'daemonize'],
  ...['enable-fips', 'enable-kvm', 'enable-sync-profile', 'full-screen', 'h', 'help'],
  ...['mem-prealloc', 'no-acpi', 'no-fd-bootchk', 'no-frame', 'no-hpet', 'no-kvm'],
  ...['no-kvm-irqchip', 'no-kvm-pit', 'no-kvm-pit-reinjection', 'no-quit', 'no-reboot'],
  ...['no-shutdown', 'no-user-config', 'nodefaults', 'nodefconfig', 'nographic', 'old-param'],
  ...['one-insn-per-tb', 'only-migratable', 'portrait', 'preconfig', 's', 'sdl', 'semihosting'],
  ...['singlestep', 'snapshot', 'tdf', 'usb', 'version', 'win2k-hack', 'xen-attach'],
  'xen-domid-restrict',
]);

const expected =
  "expected the words of QEMU's command line, as /proc/PID/cmdline has them (each ends in a NUL byte) or as a JSON array " +
  'of strings';

/** `name` says where the bytes come from. Throws `usage`. */
export function parseQemuCommand(bytes: Uint8Array, name: string): QemuCommand {
  const refused = (found: string): ParsError =>
    new ParsError('usage', `the machine ${name}: ${expected}; found ${found}`);
  if (bytes.length > maxMachineBytes) {
    throw refused(`more than ${maxMachineBytes} bytes`);
  }
  if (bytes.length === 0) {
    throw refused('nothing (a process that has ended has no command line any more)');
  }
  const [program, ...rest] = bytes.includes(0)
    ? wordsOfNulTerminated(bytes, refused)
    : wordsOfJson(bytes, refused);
  if (program === '') {
    throw refused('an empty first word, where the program stands');
  }
  return { program, options: optionsOf(rest, refused) };
}

/** The words again, an option with its value each. */
export function optionWords({ name, value }: QemuOption): readonly string[] {
  if (name === '') {
    return value === undefined ? [] : [value];
  }
  return value === undefined ? [`-${name}`] : [`-${name}`, value];
}

type Refused = (found: string) => ParsError;

function wordsOfNulTerminated(bytes: Uint8Array, refused: Refused): readonly string[] {
  const words = textOf(bytes, refused).split('\0');
  if (words.pop() !== '') {
    throw refused('a last word without its NUL byte: was the file cut short?');
  }
  return words;
}

function wordsOfJson(bytes: Uint8Array, refused: Refused): readonly string[] {
  const text = textOf(bytes, refused);
  let words: unknown;
  try {
    words = parsePeerJson(text);
  } catch {
    throw refused(`text that begins ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (!Array.isArray(words) || words.length === 0) {
    throw refused(Array.isArray(words) ? 'an empty array' : `JSON of another kind`);
  }
  return words.map((word: unknown, index) => {
    if (typeof word !== 'string') {
      throw refused(`${JSON.stringify(word)} as element ${index}`);
    }
    if (word.includes('\0')) {
      throw refused(`a NUL byte within element ${index}, which no command line can hold`);
    }
    return word;
  });
}

function textOf(bytes: Uint8Array, refused: Refused): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused('bytes that are no UTF-8');
  }
}

function optionsOf(words: readonly string[], refused: Refused): readonly QemuOption[] {
  const options: QemuOption[] = [];
  const rest = words[Symbol.iterator]();
  for (const word of rest) {
    const name = /^--?([^-].*)$/s.exec(word)?.[1];
    if (name === undefined) {
      options.push({ name: '', value: word });
    } else if (flags.has(name)) {
      options.push({ name, value: undefined });
    } else {
      const next = rest.next();
      if (next.done === true) {
        throw refused(`the option -${name} at the end, without its value`);
      }
      options.push({ name, value: next.value });
    }
  }
  return options;
}
